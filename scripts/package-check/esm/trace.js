// Prints where a wrong option was found.
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

Error.stackTraceLimit = Infinity
await Fastify().register(keycloak, { issuer: 'nonsense' }).ready().catch((error) => console.log(error.stack))
