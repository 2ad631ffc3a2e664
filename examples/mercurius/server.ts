// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
app.addHook('onClose', () => realm?.close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The API is at ${url}/graphql. Paste into another terminal:

ACCOUNTANT=${realm?.token({ roles: ['accountant'] }) ?? '…   # an access token of your realm, with the role'}
OTHER=${realm?.token({ username: 'bob' }) ?? '…   # without'}

curl -i ${url}/graphql --json '{ "query": "{ menu { name price } }" }'                                        # 200: public
curl -i ${url}/graphql --json '{ "query": "{ menu { name cost } }" }'                                         # 200, but cost is null: not_authenticated
curl -i ${url}/graphql --json '{ "query": "{ menu { name cost } }" }' -H "Authorization: Bearer $OTHER"       # 200, but cost is null: permission_denied
curl -i ${url}/graphql --json '{ "query": "{ menu { name cost } }" }' -H "Authorization: Bearer $ACCOUNTANT"  # 200
curl -i ${url}/graphql --json '{ "query": "{ menu { name } }" }' -H "Authorization: Bearer nonsense"          # 401: a bad token is refused for public fields too
curl -i ${url}/graphql --json '{ "query": "{ __schema { types { name } } }" }'                                # 401: the schema needs a token

Ctrl+C ends it.`)
