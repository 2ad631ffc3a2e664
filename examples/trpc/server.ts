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
The API is at ${url}/trpc. Paste into another terminal:

COOK=${realm?.token({ username: 'carla', roles: ['cook'] }) ?? '…   # an access token of your realm, with the role'}
OTHER=${realm?.token({ username: 'bob' }) ?? '…   # without'}

curl -i ${url}/trpc/menu                                             # 200: anybody
curl -i ${url}/trpc/menu -H "Authorization: Bearer nonsense"         # 401: a bad token is refused there too
curl -i ${url}/trpc/me                                               # 401
curl -i ${url}/trpc/me -H "Authorization: Bearer $OTHER"             # 200
curl -i ${url}/trpc/orders.list -H "Authorization: Bearer $OTHER"    # 403
curl -i ${url}/trpc/orders.list -H "Authorization: Bearer $COOK"     # 200
curl -i -g "${url}/trpc/menu,me?batch=1&input={}"                    # 207: each call of a batch is decided for itself

Ctrl+C ends it.`)
