// `npm start`: an API on a realm in this process. With KEYCLOAK_ISSUER in the environment it is on that realm instead;
// KEYCLOAK_CLIENT_ID (default api), KEYCLOAK_CLIENT_SECRET (switches introspection on) and KEYCLOAK_AUDIENCE (default
// the client) go with it. PORT is where the API listens, default 3000, on 127.0.0.1.
import type { FastifyInstance } from 'fastify'
import { createTestRealm, type TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { buildApp } from './app.js'

/** Alice has the role, Bob has none. */
const ROLES: Readonly<Record<string, string[]>> = { alice: ['view-profile'], bob: [] }

const { KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID = 'api', KEYCLOAK_CLIENT_SECRET, KEYCLOAK_AUDIENCE, PORT = '3000' } = process.env

const app = KEYCLOAK_ISSUER === undefined ? await onEmbeddedRealm() : await onKeycloak(KEYCLOAK_ISSUER)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

async function onEmbeddedRealm (): Promise<FastifyInstance> {
  const realm = await createTestRealm({ name: 'demo' })
  const app = await buildApp({ ...realm.options, verifyTokensWithKeycloak: true })
  app.addHook('onClose', () => realm.close())
  offerTokens(app, realm)
  const url = await listen(app)
  const token = (username: string) => `-H "Authorization: Bearer $(curl -s ${url}/token/${username})"`
  console.log(`
The API is at ${url}, its documentation at ${url}/docs
It trusts a realm that lives in this process, with test keys: ${realm.issuer}

  nobody                     curl -i ${url}/hello
  nobody, refused: 401       curl -i ${url}/profile
  bob, any token will do     curl -i ${url}/me ${token('bob')}
  bob, no permission: 403    curl -i ${url}/profile ${token('bob')}
  alice, with permission     curl -i ${url}/profile ${token('alice')}
  a token of nobody's: 401   curl -i ${url}/profile -H "Authorization: Bearer x.y.z"

In ${url}/docs, "Authorize" takes what \`curl -s ${url}/token/alice\` prints. Ctrl+C ends it.`)
  return app
}

async function onKeycloak (issuer: string): Promise<FastifyInstance> {
  const options: KeycloakOptions = { issuer, clientId: KEYCLOAK_CLIENT_ID, audience: KEYCLOAK_AUDIENCE ?? KEYCLOAK_CLIENT_ID }
  const introspected = KEYCLOAK_CLIENT_SECRET !== undefined
  const app = await buildApp(introspected ? { ...options, clientSecret: KEYCLOAK_CLIENT_SECRET, verifyTokensWithKeycloak: true } : options)
  const url = await listen(app)
  console.log(`
The API is at ${url}, its documentation at ${url}/docs
It trusts ${issuer}${introspected ? ', and asks it about each token' : ''}.

  nobody                     curl -i ${url}/hello
  nobody, refused: 401       curl -i ${url}/profile
  you                        TOKEN=...   # an access token of the realm
                             curl -i ${url}/me -H "Authorization: Bearer $TOKEN"
                             curl -i ${url}/profile -H "Authorization: Bearer $TOKEN"

/profile asks for the role view-profile of the client ${options.clientId}. Ctrl+C ends it.`)
  return app
}

/** What the login at Keycloak would give: for a demo on loopback, never for an API. */
function offerTokens (app: FastifyInstance, realm: TestRealm): void {
  app.get('/token/:username', { schema: { hide: true }, config: { keycloak: false } }, async (request, reply) => {
    const { username } = request.params as { username: string }
    const roles = Object.hasOwn(ROLES, username) ? ROLES[username] : undefined
    return roles === undefined ? reply.callNotFound() : realm.token({ username, roles })
  })
}

async function listen (app: FastifyInstance): Promise<string> {
  try {
    return await app.listen({ port: Number(PORT), host: '127.0.0.1' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    console.error(`Port ${PORT} is taken: set another one, as in PORT=3001 npm start`)
    process.exit(1)
  }
}
