// Prints the stack of the error about a wrong option.
const Fastify = require('fastify')
const keycloak = require('fastify-keycloak-bearer')

Error.stackTraceLimit = Infinity
Fastify().register(keycloak, { issuer: 'nonsense' }).ready().catch((error) => console.log(error.stack))
