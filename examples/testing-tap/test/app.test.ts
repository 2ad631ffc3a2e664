import type { FastifyInstance } from 'fastify'
import type { KeycloakOptions } from 'fastify-keycloak-bearer'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import t, { type Test } from 'tap'
import { buildApp } from '../app.js'

/** A realm and an API of the test's own, which end with it. */
async function start (t: Test, options?: Partial<KeycloakOptions>): Promise<{ realm: TestRealm, app: FastifyInstance }> {
  const realm = await createTestRealm()
  const app = await buildApp({ ...realm.options, ...options })
  t.teardown(() => app.close())
  t.teardown(() => realm.close())
  return { realm, app }
}

t.test('everybody reads their own notes', async (t) => {
  const { realm, app } = await start(t)
  const response = await realm.inject(app, { as: { username: 'bob' }, url: '/notes' })
  t.same(response.json(), ['a note of bob'])
  t.match((await realm.inject(app, '/notes')).json(), { statusCode: 401, code: 'not_authenticated' })
  t.equal((await realm.inject(app, '/health')).statusCode, 200)
})

t.test('who writes a note needs the role and the scope', async (t) => {
  const { realm, app } = await start(t)
  const write = async (as: { roles?: string[], scope?: string }) => (await realm.inject(app, { as, method: 'POST', url: '/notes' })).statusCode
  t.equal(await write({ roles: ['note:write'], scope: 'openid notes' }), 201)
  t.equal(await write({ roles: ['note:write'] }), 403)
  t.equal(await write({ scope: 'openid notes' }), 403)
})

t.test('a token expires while it is used', async (t) => {
  const { realm, app } = await start(t)
  const token = realm.token() // lives for 300 seconds
  t.equal((await realm.inject(app, { as: token, url: '/notes' })).statusCode, 200)
  const later = Date.now() + 301_000
  t.intercept(Date, 'now', { value: () => later }) // until the test ends
  t.match((await realm.inject(app, { as: token, url: '/notes' })).json(), { statusCode: 401, code: 'token_expired' })
  t.equal((await realm.inject(app, { as: {}, url: '/notes' })).statusCode, 200, 'a new one is good')
})

t.test('Keycloak changes its keys', async (t) => {
  const { realm, app } = await start(t)
  const old = realm.token()
  t.equal((await realm.inject(app, { as: old, url: '/notes' })).statusCode, 200)
  realm.rotateKeys()
  t.equal((await realm.inject(app, { as: {}, url: '/notes' })).statusCode, 200)
  t.equal((await realm.inject(app, { as: old, url: '/notes' })).statusCode, 200)
  t.equal(realm.requests.certs, 2)
})

t.test('who has logged out is refused at once', async (t) => {
  const { realm, app } = await start(t, { backchannelLogout: { path: '/backchannel-logout', clients: ['web'] } })
  const token = realm.token({ username: 'bob' })
  t.equal((await realm.inject(app, { as: token, url: '/notes' })).statusCode, 200)
  const logout = await app.inject({
    method: 'POST',
    url: '/backchannel-logout',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `logout_token=${realm.token({ kind: 'logout', username: 'bob' })}`
  })
  t.equal(logout.statusCode, 200)
  t.match((await realm.inject(app, { as: token, url: '/notes' })).json(), { statusCode: 401, code: 'token_not_valid' })
})

t.test('who may call what is as it was reviewed', async (t) => {
  const { app } = await start(t)
  t.matchSnapshot(app.keycloak.routes())
})
