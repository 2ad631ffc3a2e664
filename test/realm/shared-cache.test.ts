// Realms that share one cache of verified tokens, as several issuers of one plugin will: what one realm has verified is no
// token of another. The test realms sign with the same keys, so a key id alone would tell nothing apart.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { KeycloakError } from '../../index.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { Caches } from '../../lib/realm/caches.js'
import { createRealm, type Realm } from '../../lib/realm/realm.js'
import { toUserBy } from '../../lib/request/user.js'
import { NO_CONFIRMATION } from '../../lib/token/confirmation.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { realmFor } from '../support/app.js'
import { settingsFor } from '../support/settings.js'

/** A function that creates realms on one cache. */
function sharing (t: Test): (realm: TestRealm, options?: Partial<KeycloakOptions>) => Promise<Realm> {
  const [closing, { log }] = [new Closing(), Fastify()]
  const caches = new Caches({ max: 100, maxBytes: 1_000_000 })
  t.teardown(() => caches.close())
  return async ({ options }, more = {}) => {
    const { plugin: { limits }, realm: settings } = settingsFor({ ...options, ...more })
    const realm = await createRealm(settings, { limits, ...caches, revocations: undefined, confirmation: NO_CONFIRMATION, closing, log, startLog: log, isOfSeveral: false, createToUser: toUserBy(undefined) })
    t.teardown(async () => realm.close())
    return realm
  }
}

/** The answers of the two ways to a token's identity: the reason of a refusal, and whether the cache has it. */
async function answersOf (realm: Realm, token: string): Promise<[string, boolean]> {
  const full = await (async () => realm.identify({ scheme: 'Bearer', token }))().then(() => 'good', ({ reasonCode }: KeycloakError) => reasonCode)
  return [full, realm.fromCache!(`Bearer ${token}`, Date.now(), performance.now()) !== undefined]
}

t.test('a token that one realm keeps is refused by another realm, another audience and another algorithm, on both ways', async (t) => {
  const create = sharing(t)
  const [one, other] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'other' })]
  const [owner, stranger, forOthers, byAnother] = [await create(one), await create(other), await create(one, { audience: 'others' }), await create(one, { algorithms: 'ES256' })]
  const token = one.token()
  await answersOf(owner, token)
  for (let times = 0; times < 3; times++) {
    t.same(await answersOf(owner, token), ['good', true])
    t.same(await answersOf(stranger, token), ['iss_mismatch', false])
    t.same(await answersOf(forOthers, token), ['aud_mismatch', false])
    t.same(await answersOf(byAnother, token), ['alg_not_allowed', false])
  }
})

t.test('realms that both take a token keep it in turn, and neither takes the other\'s word for it', async (t) => {
  const create = sharing(t)
  const realm = await realmFor(t)
  const [one, other] = [await create(realm), await create(realm)]
  const token = realm.token()
  // The first token of a realm waits for its keys.
  for (const each of [one, other]) await answersOf(each, token)
  for (let times = 0; times < 3; times++) {
    for (const each of [one, other]) t.same(await answersOf(each, token), ['good', true])
    t.equal(one.fromCache!(`Bearer ${token}`, Date.now(), performance.now()), undefined)
  }
})
