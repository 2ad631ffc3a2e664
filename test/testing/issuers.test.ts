// Several test realms in one test.
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { realmFor, refusalOf } from '../support/app.js'

async function apiOf (t: Test, realms: TestRealm[], options: object = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: realms.map((realm) => realm.options), ...options })
  app.get('/me', { config: { authenticated: true } }, async ({ issuer, user }) => ({ issuer, username: user.username }))
  app.get('/acme', { config: { issuer: 'acme' } }, async () => 'done')
  return app
}

t.test('the options of several realms go together as they are, and each realm sends its own tokens', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const app = await apiOf(t, [acme, globex])
  for (const [realm, issuer] of [[acme, 'acme'], [globex, 'globex']] as const) {
    t.same((await realm.inject(app, { as: { username: 'bob' }, url: '/me' })).json(), { issuer, username: 'bob' })
  }
  t.equal((await acme.inject(app, { as: {}, url: '/acme' })).statusCode, 200)
  t.equal((await globex.inject(app, { as: {}, url: '/acme' })).statusCode, 403)
  t.match([acme.requests, globex.requests], [{ certs: 1, discovery: 0 }, { certs: 1, discovery: 0 }], 'the requests of the test alone')
})

t.test('each realm introspects its own tokens, and fails alone', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex', clientId: 'globex-api', clientSecret: 'another' })
  const app = await apiOf(t, [acme, globex], { verifyTokensWithKeycloak: true })
  const token = globex.token()
  t.equal((await globex.inject(app, { as: token, url: '/me' })).statusCode, 200)
  globex.revoke(token)
  t.equal((await globex.inject(app, { as: token, url: '/me' })).statusCode, 401)
  await globex.down()
  t.equal((await globex.inject(app, { as: {}, url: '/me' })).statusCode, 503)
  t.equal((await acme.inject(app, { as: {}, url: '/me' })).statusCode, 200)
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: false }, issuers: { acme: { ok: true }, globex: { ok: false } } })
})

t.test('a username has the same sub in each realm, so that a test shows whether an application keeps them apart', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const subOf = (realm: TestRealm) => JSON.parse(Buffer.from(realm.token().split('.')[1]!, 'base64url').toString()).sub
  t.equal(subOf(acme), subOf(globex))
})

t.test('two realms of one name stop the start, with what to write', async (t) => {
  const issuers = [await realmFor(t), await realmFor(t)].map((realm) => realm.options)
  t.equal(await refusalOf({ issuers }), 'fastify-keycloak-bearer: option "issuers[1].name" must be another one than that of issuers[0], "test"; write createTestRealm({ name: "…" })')
  t.equal(await refusalOf({ issuers: [issuers[0], { ...issuers[1], name: 'other' }] }), 'started')
})

t.test('a realm of a function as well', async (t) => {
  const realms = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const app = await apiOf(t, realms, { issuers: async (iss: string) => realms.find(({ issuer }) => issuer === iss)?.options ?? null })
  for (const realm of realms) t.equal((await realm.inject(app, { as: {}, url: '/me' })).statusCode, 200)
  const stranger = await realmFor(t, { name: 'stranger' })
  t.equal((await stranger.inject(app, { as: {}, url: '/me' })).statusCode, 401)
})
