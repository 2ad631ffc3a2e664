// `npm start`: two services and the gateway before them, on a realm in this process or on the one at KEYCLOAK_ISSUER.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { startService } from './services.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const [shop, reports] = [await startService(), await startService()]
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE }, { shop: shop.origin, reports: reports.origin })
app.addHook('onClose', async () => {
  await Promise.all([shop.close(), reports.close(), realm?.close()])
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The gateway is at ${url}; it stands before ${shop.origin} and ${reports.origin}. Paste into another terminal:

ADMIN=${realm?.token({ username: 'alice', roles: ['admin'] }) ?? '…   # an access token of your realm, with the role'}
OTHER=${realm?.token({ username: 'bob' }) ?? '…   # without'}

curl -i ${url}/catalog/1                                            # 200: public, no caller
curl -i ${url}/catalog/1 -H "X-Caller: eyJpZCI6IjAifQ"              # 200: still no caller, because clients cannot name one
curl -i ${url}/orders/1                                             # 401
curl -i ${url}/orders/1 -H "Authorization: Bearer $OTHER"           # 200: the service learns that bob calls
curl -i ${url}/admin/users -H "Authorization: Bearer $OTHER"        # 403
curl -i ${url}/admin/users -H "Authorization: Bearer $ADMIN"        # 200
curl -i --path-as-is ${url}/catalog/../admin/users                  # 400: the path is not plain
curl -i ${url}/orders/unauthorized -H "Authorization: Bearer $OTHER"   # 502: the service refused the gateway, not bob

Ctrl+C ends it.`)
