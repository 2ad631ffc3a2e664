// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER. The files go with it when it ends.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const folder = await mkdtemp(join(tmpdir(), 'uploads-'))
const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 8 * 3600 }) : undefined
const options = realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE }
const app = await buildApp(options, { folder, fileSize: 10 * 2 ** 20 })
app.addHook('onClose', async () => {
  await realm?.close()
  await rm(folder, { recursive: true })
})
// More than once: npm hands a Ctrl+C on that has reached everybody already.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
The API is at ${url}. Paste into another terminal, in this folder:

${tokens(realm)}
LARGE=$(node -p process.execPath)   # a file of 100 MB that you have

curl -i ${url}/files -F file=@$LARGE                                        # 401, and curl has sent nothing of it
curl -i ${url}/files -H "Authorization: Bearer $BOB" -F file=@$LARGE        # 403, likewise
curl -i ${url}/files -H "Authorization: Bearer $ALICE" -F file=@README.md   # 201
curl -i ${url}/files -H "Authorization: Bearer $ALICE" -F file=@$LARGE      # 413: more than 10 MB
curl -i ${url}/files -H "Authorization: Bearer $ALICE"                      # 200: hers

Ctrl+C ends it.`)

/** What a login at Keycloak gives. */
function tokens (realm: TestRealm | undefined): string {
  if (realm === undefined) return 'ALICE=…   # an access token of a user with the role upload\nBOB=…     # and of one without'
  return `ALICE=${realm.token({ username: 'alice', roles: ['upload'] })}\nBOB=${realm.token({ username: 'bob' })}`
}
