// Logouts with a function `issuers`, through the plugin: realms come and go with the requests.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, logging, realmFor, until } from '../support/app.js'
import { action, LOGOUT, logOut, now, post } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

async function apiOf (t: Test, realms: readonly TestRealm[], find: () => unknown = () => {}): Promise<FastifyInstance> {
  const app = Fastify(logging())
  t.teardown(() => app.close())
  const issuers = async (iss: string) => {
    await find()
    const found = realms.find(({ issuer }) => issuer === iss)
    return found ? { issuer: iss, clientId: 'api', audience: 'api' } : null
  }
  await app.register(keycloak, { issuers, maxIssuers: 1, startCheck: false, ...LOGOUT })
  app.get('/me', { config: { authenticated: true } }, async () => ({}))
  return app
}

async function threeRealms (t: Test): Promise<[TestRealm, TestRealm, TestRealm]> {
  return [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), await realmFor(t, { name: 'initech' })]
}

t.test('a logout holds however often its realm is closed and opened, and so does one for a realm that is closed', async (t) => {
  const realms = await threeRealms(t)
  const [acme, globex, initech] = realms
  const app = await apiOf(t, realms)
  const token = (realm: TestRealm, sid: string) => realm.token({ claims: { sid } })
  const away = async () => {
    for (const realm of [globex, initech]) t.equal(await ask(app, '/me', token(realm, 'one')), '200')
    t.same(Object.keys(app.keycloak.health().issuers!), ['initech'], 'acme is closed')
  }
  t.equal((await logOut(app, acme, { claims: { sid: 'first' } })).status, 200, 'before any token of the issuer')
  t.equal(await ask(app, '/me', token(acme, 'first')), NOT_VALID)
  for (const sid of ['one', 'two', 'three']) t.equal(await ask(app, '/me', token(acme, sid)), '200')
  t.equal((await logOut(app, acme, { claims: { sid: 'one' } })).status, 200)
  await away()
  t.equal(await ask(app, '/me', token(acme, 'one')), NOT_VALID)
  t.equal(await ask(app, '/me', token(acme, 'two')), '200')
  await away()
  t.equal((await logOut(app, acme, { claims: { sid: 'two' } })).status, 200)
  t.equal((await post(app, '/keycloak/acme/k_logout', 'text/plain', acme.sign(action('LOGOUT', { keycloakSessionIds: ['three'] })))).status, 200)
  for (const sid of ['one', 'two', 'three']) t.equal(await ask(app, '/me', token(acme, sid)), NOT_VALID)
  t.equal(await ask(app, '/me', token(globex, 'one')), '200')
})

t.test('logouts among requests that open and close realms are all carried out, each once', async (t) => {
  const realms = await threeRealms(t)
  const app = await apiOf(t, realms)
  const at = now()
  const calls: Array<Promise<{ status: number }>> = []
  const requests: Array<Promise<string>> = []
  for (let round = 0; round < 20; round++) {
    for (const realm of realms) {
      requests.push(ask(app, '/me', realm.token({ claims: { sid: 'stays' } })))
      calls.push(logOut(app, realm, { claims: { sid: `session ${round}`, iat: at } }))
    }
    await new Promise(setImmediate)
  }
  for (const { status } of await Promise.all(calls)) t.equal(status, 200)
  t.same([...new Set(await Promise.all(requests))], ['200'])
  for (const realm of realms) {
    for (let round = 0; round < 20; round++) t.equal(await ask(app, '/me', realm.token({ claims: { sid: `session ${round}` } })), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ claims: { sid: 'stays' } })), '200')
  }
})

t.test('a logout while the function fails is carried out when it answers again', async (t) => {
  const realms = await threeRealms(t)
  let isAway = true
  const app = await apiOf(t, realms, () => { if (isAway) throw new Error('the database is away') })
  t.match(await logOut(app, realms[0], { claims: { sid: 'one' } }), { status: 503 })
  isAway = false
  await until(async () => await ask(app, '/me', realms[0].token({ claims: { sid: 'two' } })) === '200')
  await until(async () => await ask(app, '/me', realms[0].token({ claims: { sid: 'one' } })) === NOT_VALID)
})
