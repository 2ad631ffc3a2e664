// `npm start`: on a realm in this process, which can be taken down, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { setTimeout } from 'node:timers/promises'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_CLIENT_SECRET, KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = realm !== undefined
  // A minute instead of ten, and two instead of an hour, so that there is something to see.
  ? await buildApp({ ...realm.options, verifyTokensWithKeycloak: true, jwks: { maxAge: 60_000, maxStale: 120_000 } })
  : await buildApp({
    issuer: KEYCLOAK_ISSUER!,
    clientId: KEYCLOAK_CLIENT_ID,
    audience: KEYCLOAK_AUDIENCE,
    ...(KEYCLOAK_CLIENT_SECRET !== undefined && { clientSecret: KEYCLOAK_CLIENT_SECRET, verifyTokensWithKeycloak: true })
  })
app.addHook('onClose', () => realm?.close())
if (realm !== undefined) offerOutages(realm)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
// An instance is ready a moment after its start, when it has the keys.
if (realm !== undefined) {
  while ((await app.inject('/ready')).statusCode !== 200) await setTimeout(100)
}
console.log(`
The API is at ${url}. Paste into another terminal:

TOKEN=${realm?.token() ?? '…   # an access token of your realm'}

curl -i ${url}/live                                              # 200
curl -i ${url}/ready                                             # 200: and how each part stands
curl -i ${url}/orders -H "Authorization: Bearer $TOKEN"          # 200
${realm !== undefined
? `
curl -i -X POST ${url}/keycloak/down                             # 200: an outage begins
curl -i ${url}/orders -H "Authorization: Bearer $TOKEN"          # 503: Keycloak cannot be asked
curl -i ${url}/menu                                              # 200: needs no Keycloak
curl -i ${url}/ready                                             # 200: introspection degraded; two minutes later 503: keys failing
curl -i ${url}/live                                              # 200: whatever happens to Keycloak
curl -i -X POST ${url}/keycloak/up                               # 200: it is over
curl -i ${url}/orders -H "Authorization: Bearer $TOKEN"          # 200
`
: 'Stop Keycloak, and ask again.\n'}
Ctrl+C ends it.`)

/** For a demo on loopback. */
function offerOutages (realm: TestRealm): void {
  app.post('/keycloak/down', { config: { keycloak: false } }, async () => {
    await realm.down()
    return 'Keycloak is down\n'
  })
  app.post('/keycloak/up', { config: { keycloak: false } }, async () => {
    await realm.up()
    return 'Keycloak is up\n'
  })
}
