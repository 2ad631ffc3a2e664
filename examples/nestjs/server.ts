// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await app.close()
    await realm?.close()
  })
}

await app.listen(Number(PORT), '127.0.0.1')
const url = await app.getUrl()
console.log(`
The API is at ${url}. Paste into another terminal:

READER=${realm?.token({ roles: ['reader'] }) ?? '…   # an access token of your realm, with the role'}
OTHER=${realm?.token({ username: 'bob' }) ?? '…   # without'}

curl -i ${url}/menu                                              # 200: anybody
curl -i ${url}/menu -H "Authorization: Bearer nonsense"          # 401: a bad token is refused there too
curl -i ${url}/orders                                            # 401: nobody
curl -i ${url}/orders -H "Authorization: Bearer $OTHER"          # 200
curl -i ${url}/accounts -H "Authorization: Bearer $OTHER"        # 403: permission_denied
curl -i ${url}/accounts -H "Authorization: Bearer $READER"       # 200

Ctrl+C ends it.`)
