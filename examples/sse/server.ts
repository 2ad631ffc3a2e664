// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 60 }) : undefined
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE })
app.addHook('onClose', () => realm?.close())
if (realm !== undefined) playKeycloak(realm)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
${realm === undefined
? ''
: `
  TOKEN=$(curl -s ${url}/login/alice)   # it lives for a minute: watch the stream end with it
  curl -N ${url}/news -H "Authorization: Bearer $TOKEN"
  curl ${url}/news -H "Authorization: Bearer $TOKEN" --json '"hello"'   # in another terminal

curl -i -X POST ${url}/logout/alice     # 200: as Keycloak tells it when she signs out; her streams end
`}
curl -i ${url}/news     # 401

Ctrl+C ends it.`)

/** The effect of a login and a logout at Keycloak, for a demo on loopback, never for an API. */
function playKeycloak (realm: TestRealm): void {
  app.get<{ Params: { username: string } }>('/login/:username', { config: { keycloak: false } },
    async ({ params }) => realm.token({ ...params, roles: ['read-news', 'write-news'] }) + '\n')
  app.post<{ Params: { username: string } }>('/logout/:username', { config: { keycloak: false } }, async ({ params }) => {
    const form = new URLSearchParams({ logout_token: realm.token({ ...params, kind: 'logout' }) })
    const { status } = await fetch(`${url}/backchannel-logout`, { method: 'POST', body: form })
    return `${params.username} is logged out: ${status}\n`
  })
}
