// `npm start`: on PGlite and a realm in this process; or on the Postgres at DATABASE_URL, on the realm at KEYCLOAK_ISSUER.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { openDatabase } from './database.js'

const {
  DATABASE_URL, KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000'
} = process.env

const database = await openDatabase(DATABASE_URL)
const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const app = await buildApp(database.db, realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
app.addHook('onClose', async () => {
  await realm?.close()
  await database.close()
})
// More than once: npm hands a Ctrl+C on that has reached everybody already.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The API is at ${url}, its users in ${DATABASE_URL === undefined ? 'PGlite, until it ends' : 'Postgres'}. Paste into another terminal:

${tokens(realm)}

curl -i ${url}/me                                               # 401: nobody
curl -i ${url}/me -H "Authorization: Bearer $BOB"               # 200: his row, made just now
curl -i ${url}/users -H "Authorization: Bearer $BOB"            # 403
curl -i ${url}/users -H "Authorization: Bearer $ALICE"          # 200: both
BOB_ID=$(curl -s ${url}/me -H "Authorization: Bearer $BOB" | node -p 'JSON.parse(fs.readFileSync(0)).id')
curl -i -X PATCH ${url}/users/$BOB_ID -H "Authorization: Bearer $ALICE" --json '{ "isActive": false }'  # 200
curl -i ${url}/me -H "Authorization: Bearer $BOB"               # 401: user_inactive

Ctrl+C ends it.`)

/** What a login at Keycloak gives. */
function tokens (realm: TestRealm | undefined): string {
  if (realm === undefined) return 'ALICE=…   # an access token of a user with the role manage-users\nBOB=…     # and of one without'
  return `ALICE=${realm.token({ username: 'alice', roles: ['manage-users'] })}\nBOB=${realm.token({ username: 'bob' })}`
}
