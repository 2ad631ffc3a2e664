// Answers of introspection that several realms keep: one bound for all of them, and nobody takes an answer of another realm.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { Caches } from '../../lib/realm/caches.js'
import { createRealm, type Realm } from '../../lib/realm/realm.js'
import { toUserBy } from '../../lib/request/user.js'
import { NO_CONFIRMATION } from '../../lib/token/confirmation.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { ask, realmFor } from '../support/app.js'
import { settingsFor } from '../support/settings.js'

/** Introspecting realms on one cache. */
function sharing (t: Test, caches: Caches): (realm: TestRealm, options?: Partial<KeycloakOptions>) => Promise<Realm> {
  const [closing, { log }] = [new Closing(), Fastify()]
  t.teardown(() => caches.close())
  return async ({ options }, more = {}) => {
    const { plugin: { limits }, realm: settings } = settingsFor({ ...options, verifyTokensWithKeycloak: true, ...more })
    const realm = await createRealm(settings, { limits, ...caches, revocations: undefined, confirmation: NO_CONFIRMATION, closing, log, startLog: log, isOfSeveral: false, createToUser: toUserBy(undefined) })
    t.teardown(async () => realm.close())
    return realm
  }
}

const identify = async (realm: Realm, token: string): Promise<unknown> => realm.identify({ scheme: 'Bearer', token })

t.test('the bound of the cache counts the answers for all realms together', async (t) => {
  const realms = await Promise.all(['one', 'two', 'three'].map((name) => realmFor(t, { name })))
  const app = Fastify()
  t.teardown(() => app.close())
  const issuers = realms.map(({ options: { issuer, clientId, clientSecret } }) => ({ issuer, clientId, clientSecret }))
  await app.register(keycloak, { issuers, audience: 'api', startCheck: false, verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 }, cache: { max: 2 } })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  const calls = (): number => realms.reduce((sum, { requests }) => sum + requests.introspect, 0)
  const tokens = realms.map((realm) => realm.token())
  for (const token of tokens) t.equal(await ask(app, '/me', token), '200')
  t.equal(calls(), 3)
  for (const token of [...tokens].reverse()) t.equal(await ask(app, '/me', token), '200')
  const again = calls() - 3
  t.ok(again > 0 && again < 3, `two answers were kept, so that not all are asked for again: ${again}`)
})

for (const introspection of [{}, { cacheTtl: 60_000 }]) {
  const kind = 'cacheTtl' in introspection ? 'shared' : 'known'

  t.test(`a realm takes no answer that another realm keeps, ${kind}`, async (t) => {
    const create = sharing(t, new Caches({ max: 100, maxBytes: 1_000_000 }))
    const realm = await realmFor(t)
    const [one, other] = [await create(realm, { introspection }), await create(realm, { introspection })]
    const token = realm.token()
    for (let times = 0; times < 3; times++) await identify(one, token)
    const asked = realm.requests.introspect
    await identify(other, token)
    t.equal(realm.requests.introspect, asked + 1)
  })

  t.test(`a realm that is closed leaves no answer and no token, and the others keep theirs, ${kind}`, async (t) => {
    const caches = new Caches({ max: 100, maxBytes: 1_000_000 })
    const create = sharing(t, caches)
    const [one, two] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' })]
    const [first, second] = [await create(one, { introspection }), await create(two, { introspection })]
    const tokens = [one.token(), two.token()]
    for (let times = 0; times < 3; times++) {
      await identify(first, tokens[0]!)
      await identify(second, tokens[1]!)
    }
    const sizes = (): number[] => [caches.tokens!.size, caches.responses.size]
    t.same(sizes(), [2, 2])
    await first.close()
    t.same(sizes(), [1, 1])
    await second.close()
    t.same(sizes(), [0, 0])
  })
}

t.test('with cache: false answers are shared as long as cacheTtl says, and are not kept otherwise', async (t) => {
  const caches = new Caches(false)
  const create = sharing(t, caches)
  const realm = await realmFor(t)
  const [plain, sharer] = [await create(realm), await create(realm, { introspection: { cacheTtl: 60_000 } })]
  const token = realm.token()
  for (let times = 0; times < 2; times++) await identify(plain, token)
  t.equal(caches.responses.size, 0)
  for (let times = 0; times < 2; times++) await identify(sharer, token)
  t.equal(caches.responses.size, 1)
  t.equal(realm.requests.introspect, 3)
})
