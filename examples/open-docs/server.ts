// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
app.addHook('onClose', () => realm?.close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The page is at ${url}, the documentation at ${url}/docs. Paste into another terminal:

${tokens(realm)}

curl -i ${url}/                   # 200: a page
curl -i ${url}/api/health         # 200: public
curl -i ${url}/api/orders         # 401: its route says nothing, so it needs a token
curl -i ${url}/api/orders -H "Authorization: Bearer $BOB"                 # 200
curl -i ${url}/api/reports/orders.csv -H "Authorization: Bearer $BOB"     # 403: a file behind a role
curl -i ${url}/api/reports/orders.csv -H "Authorization: Bearer $ALICE"   # 200
curl -i ${url}/api/nothing        # 404, whoever asks

Ctrl+C ends it.`)

/** What a login at Keycloak gives. */
function tokens (realm: TestRealm | undefined): string {
  if (realm === undefined) return 'ALICE=…   # an access token of a user with the role read-reports\nBOB=…     # and of one without'
  return `ALICE=${realm.token({ username: 'alice', roles: ['read-reports'] })}\nBOB=${realm.token({ username: 'bob' })}`
}
