// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER. The lines of the audit log are the standard output.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE }, (line) => process.stdout.write(line))
app.addHook('onClose', () => realm?.close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The API is at ${url}. Paste into another terminal, and look at the lines here:

TOKEN=${realm?.token({ roles: ['read-invoices'] }) ?? '…   # an access token of your realm, of a user with the role read-invoices'}

curl -i ${url}/invoices/17 -H "Authorization: Bearer $TOKEN"     # 200: the token, the rule of the route, a question of the handler
curl -i ${url}/invoices/17                                       # 401: no token
curl -i ${url}/invoices/17 -H "Authorization: Bearer x.y.z"      # 401: no valid token
curl -i ${url}/status                                            # 200: no decision

Ctrl+C ends it.`)
