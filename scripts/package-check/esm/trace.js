// Prints the stack of the error about a wrong option.
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

Error.stackTraceLimit = Infinity
await Fastify().register(keycloak, { issuer: 'nonsense' }).ready().catch((error) => console.log(error.stack))
