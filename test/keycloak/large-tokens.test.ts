// A user with very many roles: the token does not fit into the headers of Node, and the ways to a smaller one that
// docs/recipes.md names. Few roles with long names weigh as much as many with short ones, and a busy server makes them in time.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { addRealm, api, base, call, json } from './helpers.js'

const issuer = `${base}/realms/large`
const names = Array.from({ length: 80 }, (_, at) => `billing:${'department-'.repeat(17)}${at}`)

const cli = { publicClient: true, directAccessGrantsEnabled: true, standardFlowEnabled: false }
const realm = {
  realm: 'large',
  enabled: true,
  sslRequired: 'none',
  clients: [
    { clientId: 'api', secret: 'api-secret', standardFlowEnabled: false, serviceAccountsEnabled: true },
    { clientId: 'billing', standardFlowEnabled: false },
    { clientId: 'wide', ...cli },
    { clientId: 'narrow', ...cli, fullScopeAllowed: false },
    { clientId: 'light', ...cli, attributes: { 'client.use.lightweight.access.token.enabled': 'true' } }
  ],
  roles: { client: { api: [{ name: 'reader' }], billing: names.map((name) => ({ name })) } },
  clientScopeMappings: { api: [{ client: 'narrow', roles: ['reader'] }] },
  users: [{
    username: 'dora',
    enabled: true,
    emailVerified: true,
    email: 'dora@example.com',
    firstName: 'Dora',
    lastName: 'Example',
    credentials: [{ type: 'password', value: 'dora-pw', temporary: false }],
    clientRoles: { api: ['reader'], billing: names }
  }]
}

t.before(async () => {
  t.teardown(await addRealm(realm))
})

async function tokenOf (client: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'password', client_id: client, username: 'dora', password: 'dora-pw' })
  return (await json(await call(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body }))).access_token
}

/** The status over a socket: app.inject() has no headers to parse. */
async function statusOf (app: FastifyInstance, token: string): Promise<number> {
  const url = app.server.listening ? app.listeningOrigin : await app.listen({ port: 0, host: '127.0.0.1' })
  return (await call(`${url}/mine`, { headers: { authorization: `Bearer ${token}` } })).status
}

async function start (t: Test, options: object = {}): Promise<FastifyInstance> {
  const app = await api(t, { issuer, clientId: 'api', audience: 'api', ...options })
  app.get('/mine', { config: { permission: 'reader' } }, async () => 'mine')
  return app
}

t.test('all roles of all clients are more than Node takes', async (t) => {
  const token = await tokenOf('wide')
  t.ok(token.length > 16_384, `${token.length} characters`)
  t.equal(await statusOf(await start(t), token), 431)
})

t.test('Full scope allowed: Off leaves the roles that the client is given', async (t) => {
  const token = await tokenOf('narrow')
  t.ok(token.length < 2000, `${token.length} characters`)
  t.equal(await statusOf(await start(t), token), 200)
})

t.test('a lightweight token has no roles, and introspection tells them', async (t) => {
  const token = await tokenOf('light')
  t.ok(token.length < 1000, `${token.length} characters`)
  t.equal(await statusOf(await start(t, { clientSecret: 'api-secret', verifyTokensWithKeycloak: true }), token), 200)
})
