// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER. ORIGINS: further pages that may connect.
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_AUDIENCE = KEYCLOAK_CLIENT_ID, ORIGINS = '', PORT = '3000' } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await createTestRealm({ tokenLifespan: 60 }) : undefined
const origins = ORIGINS.split(',').filter(Boolean)
const app = await buildApp(realm?.options ?? { issuer: KEYCLOAK_ISSUER!, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE }, { origins })
app.addHook('onClose', () => realm?.close())
if (realm !== undefined) playKeycloak(realm)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
origins.push(url)
const upgrade = '-H Connection:Upgrade -H Upgrade:websocket -H Sec-WebSocket-Version:13 -H Sec-WebSocket-Key:AAAAAAAAAAAAAAAAAAAAAA=='
console.log(`
Open ${url} in two windows, and connect with the token of a user with the role chat in each.
${realm !== undefined
? `
  curl -s ${url}/login/alice            # her token; it lives for a minute: watch the connection end with it
  curl -s ${url}/login/bob              # his

curl -i -X POST ${url}/logout/alice     # 200: as Keycloak tells it when she signs out; her connections end
`
: ''}
curl -i ${url}/chat ${upgrade}     # 401: refused before there is a connection
curl -i ${url}/chat ${upgrade} -H Origin:https://evil.example     # 403: a page of another site

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
