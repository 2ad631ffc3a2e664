// Strangers can name as many issuers as they like: what that costs is bounded, and it takes no logout from a known issuer.
import t from 'tap'
import { Closing } from '../../lib/keycloak/closing.js'
import { IssuerLookup } from '../../lib/revocation/issuer-lookup.js'
import { MemoryBudget } from '../../lib/revocation/memory-budget.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { realmFor, until, wait } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { action, type Answer, backchannel, logOut, now, post } from '../support/logout.js'
import { TenantLogouts } from '../support/tenant-logouts.js'

/** A logout token of an issuer that somebody made up. */
function madeUp (realm: TestRealm, at: number, more = ''): string {
  return realm.token({ kind: 'logout', claims: { iss: `https://sso.example.com/realms/made-up-${at}`, more } })
}

function pushTo ({ app }: TenantLogouts, name: string, token: string): Promise<Answer> {
  return post(app, `/keycloak/${name}/k_logout`, 'text/plain', token)
}

t.test('10,000 made-up issuers are asked about a few at a time, and a known one gets its turn before them', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  await tenants.open(acme)
  await tenants.evict(acme)
  let [underWay, most] = [0, 0]
  tenants.before = async () => {
    most = Math.max(most, ++underWay)
    await wait(5)
    underWay--
  }
  const refused: Array<Promise<Answer>> = []
  let knownAfter = 0
  for (let at = 0; at < 10_000; at++) {
    refused.push(backchannel(tenants.app, madeUp(acme, at)))
    if (at % 250 === 0) await wait(0)
    if (at === 8000) {
      const call = logOut(tenants.app, acme, { claims: { sid: 'one' } })
      t.equal((await call).status, 200)
      knownAfter = tenants.asked.length
    }
  }
  const answers = await Promise.all(refused)
  t.ok(most <= 16, `${most} calls at once`)
  t.ok(knownAfter < 10_000)
  t.ok(answers.every(({ status }) => status === 400 || status === 503))
  t.equal(tenants.of(acme).health().entries, 1)
})

t.test('while the function cannot answer, made-up issuers take a part of the memory alone, and the logouts of known ones wait', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  await tenants.open(acme)
  await tenants.evict(acme)
  tenants.isAway = true
  const known = logOut(tenants.app, acme, { claims: { sid: 'one' } })
  const others: Array<Promise<Answer>> = []
  for (let at = 0; at < 4000; at++) {
    others.push(backchannel(tenants.app, madeUp(acme, at, 'x'.repeat(4500))))
    if (at % 250 === 0) await wait(0)
  }
  t.equal((await known).status, 503)
  for (const { status } of await Promise.all(others)) t.equal(status, 503)
  t.ok(tenants.log.lines.some(({ reasonCode }) => reasonCode === 'push_room_full'))
  t.ok(tenants.asked.length < 1000, `${tenants.asked.length} calls of the function`)
  tenants.isAway = false
  await until(() => tenants.log.text.includes('that had to wait is carried out now'))
  t.equal(tenants.of(acme).health().entries, 1)
  void backchannel(tenants.app, madeUp(acme, 4000))
  await until(() => tenants.asked.at(-1)!.endsWith('made-up-4000'))
  t.ok(new Set(tenants.asked).size < 3000, `${new Set(tenants.asked).size} of the issuers were kept`)
})

t.test('the logouts of one issuer share one call of the function, and none is made when the API closes', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  tenants.realms.set(acme.issuer, acme)
  tenants.before = () => wait(100)
  const calls = Array.from({ length: 20 }, (_, at) => logOut(tenants.app, acme, { claims: { sid: String(at) } }))
  for (const call of calls) t.equal((await call).status, 200)
  t.equal(tenants.asked.length, 1)
  const closing = new Closing()
  const lookup = new IssuerLookup({ needRealm: () => { throw new Error('it was asked') }, isKnown: () => false, budget: new MemoryBudget(), closing })
  closing.begin()
  await t.rejects(lookup.find(acme.issuer, 100, () => undefined), { code: 'keycloak_unavailable' })
  closing.finish()
})

t.test('an issuer that fills the memory of calls takes nothing from another one', async (t) => {
  const budget = new MemoryBudget()
  const dropped: string[] = []
  const enter = (issuer: string, group: string) => budget.reserve({ issuer, group, bytes: 4000, evict: () => { dropped.push(issuer) } })
  for (let at = 0; at < 100; at++) enter('small', `small ${at}`)
  for (let at = 0; at < 20_000; at++) enter('large', `large ${at}`)
  t.ok(dropped.length > 10_000)
  t.notOk(dropped.includes('small'))
})

t.test('of more issuers than can be remembered the first one becomes a date for those that are not known', async (t) => {
  const tenants = await new TenantLogouts(t, {}, 2).start()
  const realms = await Promise.all(['one', 'two', 'three', 'four'].map((name) => realmFor(t, { name })))
  const [one, two, three, four] = realms as [TestRealm, TestRealm, TestRealm, TestRealm]
  const warned = () => tenants.log.text.split('more issuers without a realm have logouts').length - 1
  const at = now()
  for (const realm of [one, two]) {
    await tenants.open(realm)
    t.equal((await logOut(tenants.app, realm, { claims: { sid: 'same', iat: at - 10 } })).status, 200)
    await tenants.evict(realm)
  }
  t.equal((await tenants.open(four)).health().notBefore, 0)
  await tenants.evict(four)
  t.equal(warned(), 0, 'an issuer with nothing to remember takes no place')
  await tenants.open(three)
  t.equal((await logOut(tenants.app, three, { claims: { sid: 'same', iat: at - 5 } })).status, 200)
  await tenants.evict(three)
  t.equal(warned(), 1)
  t.equal((await tenants.open(one)).health().notBefore, at - 9, 'tokens of that time have to be refreshed')
  t.equal((await tenants.open(four)).health().notBefore, at - 9, 'of any issuer that is not remembered')
  t.match((await tenants.open(two)).health(), { notBefore: 0, entries: 1 }, 'but of no other')
  t.match((await tenants.open(three)).health(), { notBefore: 0, entries: 1 })
})

t.test('a not-before date in the future that is forgotten locks out no other issuer', async (t) => {
  const tenants = await new TenantLogouts(t, {}, 0).start()
  const [one, two] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' })]
  const part = await tenants.open(one)
  t.equal((await pushTo(tenants, 'one', one.sign(action('LOGOUT', { notBefore: now() + 1_000_000 })))).status, 200)
  t.ok(part.health().notBefore > now() + 999_000)
  await tenants.evict(one)
  const { notBefore } = (await tenants.open(two)).health()
  t.ok(notBefore > now() - 30 && notBefore <= now() + 1, 'it counts as now')
})

t.test('an issuer is forgotten when its not-before date has ended', async (t) => {
  const tenants = await new TenantLogouts(t, { revocation: { maxTokenLifetime: 60 } }).start()
  const realms = await Promise.all(Array.from({ length: 5 }, (_, at) => realmFor(t, { name: `realm-${at}` })))
  const [other, ...loggedOut] = realms as [TestRealm, ...TestRealm[]]
  const at = now()
  for (const [place, realm] of loggedOut.entries()) {
    await tenants.open(realm)
    t.equal((await pushTo(tenants, `realm-${place + 1}`, realm.sign(action('LOGOUT', { notBefore: at })))).status, 200)
    await tenants.evict(realm)
  }
  t.equal((await tenants.open(loggedOut[0]!)).health().notBefore, at)
  await tenants.evict(loggedOut[0]!)
  clocksFor(t).advance(200)
  for (let times = 0; times < 3; times++) {
    await tenants.open(other)
    await tenants.evict(other)
  }
  for (const realm of loggedOut) t.equal((await tenants.open(realm)).health().notBefore, 0)
})
