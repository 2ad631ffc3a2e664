// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER. ORIGINS: further pages that may connect.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, ORIGINS = '', PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 60 }) : undefined
const app = await buildApp(
  realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE },
  { origins: [`http://127.0.0.1:${PORT}`, ...ORIGINS.split(',').filter(Boolean)] }
)
app.addHook('onClose', () => realm?.close())
if (realm !== undefined) playKeycloak(realm)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`
Open ${url} in two windows and connect with a token of each:

${realm !== undefined
? `  curl -s ${url}/login/alice     # a token that lives for a minute: watch the connection end with it
  curl -s ${url}/login/bob

  curl -s -X POST ${url}/logout/alice     # as Keycloak does when she signs out: her connections end`
: '  an access token of a user with the role chat'}

  curl -i ${url}/chat -H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="     # 401: nobody

Ctrl+C ends it.`)

/** What a login and a logout at Keycloak do: for a demo on loopback, never for an API. */
function playKeycloak (realm: TestRealm): void {
  app.get<{ Params: { username: string } }>('/login/:username', { config: { keycloak: false } },
    async ({ params }) => realm.token({ ...params, roles: ['chat'] }) + '\n')
  app.post<{ Params: { username: string } }>('/logout/:username', { config: { keycloak: false } }, async ({ params }) => {
    const form = new URLSearchParams({ logout_token: realm.token({ ...params, kind: 'logout' }) })
    const { status } = await fetch(`${url}/backchannel-logout`, { method: 'POST', body: form })
    return `${params.username} is logged out: ${status}\n`
  })
}
