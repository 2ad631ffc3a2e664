// A small API, to measure the size of its bundle.
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

const app = Fastify()
await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' })
app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
await app.listen({ port: 3000 })
