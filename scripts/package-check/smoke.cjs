// What each runtime and each bundle has to do: an API on a test realm, and each of its answers.
const { deepEqual, equal, ok } = require('node:assert/strict')

module.exports = async function smoke ({ Fastify, keycloak, createTestRealm }) {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  await app.register(keycloak, { ...realm.options })
  app.get('/open', async (request) => ({ user: request.user }))
  app.get('/profile', { config: { permission: 'view-profile' } }, async (request) => ({ hello: request.user.username }))

  // Over a real socket, by the fetch of the runtime.
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const alice = realm.token({ roles: ['view-profile'] })
  deepEqual(await ask(`${url}/open`), { status: 200, body: { user: null } })
  deepEqual(await ask(`${url}/profile`, alice), { status: 200, body: { hello: 'alice' } })
  await refused(`${url}/profile`, undefined, 401, 'not_authenticated')
  await refused(`${url}/profile`, realm.token({ expired: true }), 401, 'token_expired')
  await refused(`${url}/profile`, realm.token({ forged: true }), 401, 'token_not_valid')
  await refused(`${url}/profile`, realm.token(), 403, 'permission_denied')
  equal((await app.keycloak.verify(alice)).preferred_username, 'alice')

  const asking = Fastify()
  await asking.register(keycloak, { ...realm.options, verifyTokensWithKeycloak: true })
  asking.get('/me', { config: { authenticated: true } }, async (request) => ({ hello: request.user.username }))
  const asked = await asking.listen({ port: 0, host: '127.0.0.1' })
  deepEqual(await ask(`${asked}/me`, alice), { status: 200, body: { hello: 'alice' } })
  realm.revoke(alice)
  await refused(`${asked}/me`, alice, 401, 'token_not_valid')
  ok(realm.requests.introspect >= 2)

  await realm.down()
  await refused(`${asked}/me`, realm.token({ username: 'bob' }), 503, 'keycloak_unavailable')
  equal((await ask(`${url}/profile`, alice)).status, 200)
  await asking.close()
  await app.close()
}

async function ask (url, token) {
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}

async function refused (url, token, status, code) {
  const answer = await ask(url, token)
  deepEqual([answer.status, answer.body.code], [status, code])
}
