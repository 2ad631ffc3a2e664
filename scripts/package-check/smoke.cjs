// The check of each runtime and each bundle: an API on a test realm, and each of its answers.
const { deepEqual, equal, ok } = require('node:assert/strict')
const { createServer } = require('node:https')
// check-package.mjs writes this file: { cert, key } for 127.0.0.1.
const certificate = require('./certificate.json')

module.exports = async function smoke (modules) {
  await offline(modules)
  await asking(modules)
  await securely(modules)
}

/** Tokens that are checked by the realm's keys. */
async function offline ({ Fastify, keycloak, createTestRealm, requireScopes }) {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  await app.register(keycloak, { ...realm.options, resource: 'http://localhost/mcp' })
  app.get('/open', async (request) => ({ user: request.user }))
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
  app.get('/scopes', async (request) => requireScopes(request, 'write'))
  app.post('/mcp', { config: { mcp: { tools: { write: 'write' } } } }, async (request) => ({ client: request.raw.auth.clientId }))

  // Over a real socket, by the fetch of the runtime.
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const alice = realm.token({ roles: ['read-profile'] })
  deepEqual(await ask(`${url}/open`), { status: 200, body: { user: null } })
  deepEqual(await ask(`${url}/profile`, alice), { status: 200, body: { hello: 'alice' } })
  await refused(`${url}/profile`, undefined, 401, 'not_authenticated')
  await refused(`${url}/profile`, realm.token({ expired: true }), 401, 'token_expired')
  await refused(`${url}/profile`, realm.token({ forged: true }), 401, 'token_not_valid')
  await refused(`${url}/profile`, realm.token(), 403, 'permission_denied')
  await refused(`${url}/scopes`, alice, 403, 'permission_denied')
  equal((await ask(`${url}/.well-known/oauth-protected-resource/mcp`)).body.resource, 'http://localhost/mcp')
  const call = (method) => ({ method: 'POST', headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'write' } }) })
  equal((await fetch(`${url}/mcp`, call('tools/call'))).status, 403)
  deepEqual(await (await fetch(`${url}/mcp`, call('tools/list'))).json(), { client: 'web' })
  equal((await app.keycloak.verify(alice)).preferred_username, 'alice')

  await realm.down()
  equal((await ask(`${url}/profile`, alice)).status, 200)
  await app.close()
}

/** Introspection, an outage, and a Keycloak that never answers. */
async function asking (modules) {
  const realm = await modules.createTestRealm()
  const { app, url } = await api(modules, { ...realm.options, verifyTokensWithKeycloak: true, introspection: { timeout: 2000 } })
  const token = realm.token()
  deepEqual(await ask(url, token), { status: 200, body: { hello: 'alice' } })
  realm.revoke(token)
  await refused(url, token, 401, 'token_not_valid')
  ok(realm.requests.introspect >= 2)

  const bob = realm.token({ username: 'bob' })
  realm.hang('introspect')
  await refused(url, bob, 503, 'keycloak_unavailable')
  await realm.down()
  await refused(url, bob, 503, 'keycloak_unavailable')
  await app.close()
}

/** The realm behind TLS: the calls trust the authority of the option `ca`, and no other. */
async function securely (modules) {
  const realm = await modules.createTestRealm()
  const server = createServer(certificate, async (request, response) => {
    const answer = await fetch(new URL(request.url, realm.issuer))
    response.end(await answer.text())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const serverUrl = `https://127.0.0.1:${server.address().port}/realms/test`

  const trusting = await api(modules, { ...realm.options, serverUrl, ca: certificate.cert })
  equal((await ask(trusting.url, realm.token())).status, 200)
  const strange = await api(modules, { ...realm.options, serverUrl })
  await refused(strange.url, realm.token(), 503, 'keycloak_unavailable')
  await trusting.app.close()
  await strange.app.close()
  server.close()
  server.closeAllConnections()
  await realm.close()
}

/** An API whose route says hello to any valid token. */
async function api ({ Fastify, keycloak }, options) {
  const app = Fastify()
  await app.register(keycloak, options)
  app.get('/', { config: { authenticated: true } }, async (request) => ({ hello: request.user.username }))
  return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

async function ask (url, token) {
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}

async function refused (url, token, status, code) {
  const answer = await ask(url, token)
  deepEqual([answer.status, answer.body.code], [status, code])
}
