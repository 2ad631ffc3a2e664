// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
app.addHook('onClose', () => realm?.close())
// More than once: npm hands a Ctrl+C on that has reached everybody already.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The API is at ${url}, its documentation at ${url}/docs. Paste into another terminal:

${tokens(realm)}

curl -i ${url}/me                                       # 401: nobody
curl -i ${url}/me -H "Authorization: Bearer $BOB"       # 200
curl -i ${url}/orders -H "Authorization: Bearer $BOB" --json '{ "item": "tea", "quantity": 1 }'     # 403: no permission
curl -i ${url}/orders -H "Authorization: Bearer $ALICE" --json '{ "item": "tea", "quantity": 0 }'   # 400: zod's word
curl -i ${url}/orders -H "Authorization: Bearer $ALICE" --json '{ "item": "tea", "quantity": 1 }'   # 201
curl -i ${url}/orders/1 -H "Authorization: Bearer $ALICE"   # 200: her own
curl -i ${url}/orders/1 -H "Authorization: Bearer $BOB"     # 404: not his

Ctrl+C ends it.`)

/** What a login at Keycloak gives. */
function tokens (realm: TestRealm | undefined): string {
  if (realm === undefined) return 'ALICE=…   # an access token of a user with the role place-orders\nBOB=…     # and of one without'
  return `ALICE=${realm.token({ username: 'alice', roles: ['place-orders'] })}\nBOB=${realm.token({ username: 'bob' })}`
}
