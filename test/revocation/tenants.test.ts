// The logouts of issuers whose realms come and go. What was revoked outlives the realm, and no logout is lost while it is away.
import t from 'tap'
import type { AccessTokenClaims } from '../../types/user.js'
import type { RealmRevocation } from '../../lib/revocation/realm-revocation.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { realmFor, until, wait, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { action, backchannel, logOut, now, post } from '../support/logout.js'
import { TenantLogouts } from '../support/tenant-logouts.js'

function answer (revocation: RealmRevocation, claims: Partial<AccessTokenClaims>): string {
  try {
    revocation.check({ iat: now() - 5, exp: now() + 60, ...claims } as AccessTokenClaims)
    return 'let in'
  } catch (error) {
    return (error as { reasonCode: string }).reasonCode
  }
}

function pushTo ({ app }: TenantLogouts, realm: TestRealm, name: string, more: object, kind: 'PUSH_NOT_BEFORE' | 'LOGOUT' = 'LOGOUT') {
  return post(app, `/keycloak/${name}/${kind === 'LOGOUT' ? 'k_logout' : 'k_push_not_before'}`, 'text/plain', realm.sign(action(kind, more as Record<string, unknown>)))
}

t.test('what was revoked outlives the realm, and serves the next one of the issuer', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  await tenants.open(acme)
  const [spec, at] = [{ claims: { sid: 'one', jti: 'id' } }, now()]
  t.equal((await logOut(tenants.app, acme, spec)).status, 200)
  t.equal((await pushTo(tenants, acme, 'acme', { notBefore: at - 50 })).status, 200)
  await tenants.evict(acme)
  const again = await tenants.open(acme)
  t.equal(answer(again, { sid: 'one' }), 'session_logged_out')
  t.equal(answer(again, { sid: 'two', iat: at - 51 }), 'issued_before_not_before')
  t.equal(answer(again, { sid: 'two' }), 'let in')
  t.match(again.health(), { ok: true, entries: 1, notBefore: at - 50, lag: null })
  t.match(await logOut(tenants.app, acme, spec), { status: 400, body: { error_description: 'the call was made before' } })
})

t.test('a logout of an issuer without a realm has the realm made, whether it was there before or not', async (t) => {
  const [acme, globex, tenants] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), await new TenantLogouts(t).start()]
  tenants.realms.set(globex.issuer, globex)
  t.equal((await logOut(tenants.app, globex, { claims: { sid: 'new' } })).status, 200, 'not met yet')
  t.equal(answer(tenants.of(globex), { sid: 'new' }), 'session_logged_out')
  await tenants.open(acme)
  await tenants.evict(acme)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200, 'met before, with nothing to remember')
  await tenants.evict(acme)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'two' } })).status, 200, 'and with something')
  for (const sid of ['one', 'two']) t.equal(answer(tenants.of(acme), { sid }), 'session_logged_out')
  t.same(tenants.asked, [globex.issuer, acme.issuer, acme.issuer, acme.issuer])
})

t.test('a push by the name of a realm that was there before has it made again', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  t.match(await pushTo(tenants, acme, 'acme', {}), { status: 400, body: { error_description: 'the path has no name of an issuer that is known' } })
  await tenants.open(acme)
  await tenants.evict(acme)
  t.equal((await pushTo(tenants, acme, 'acme', { notBefore: 0, keycloakSessionIds: ['one'] })).status, 200)
  t.equal(answer(tenants.of(acme), { sid: 'one' }), 'session_logged_out')
  await tenants.evict(acme)
  t.equal((await pushTo(tenants, acme, 'acme', { notBefore: now() + 5 }, 'PUSH_NOT_BEFORE')).status, 200)
  t.equal(answer(tenants.of(acme), {}), 'issued_before_not_before')
  await tenants.evict(acme)
  t.equal(answer(await tenants.open(acme), {}), 'issued_before_not_before', 'which the issuer keeps')
})

t.test('an issuer that the function does not know is refused, and one that it cannot tell about waits', async (t) => {
  const [acme, globex, tenants] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), await new TenantLogouts(t).start()]
  t.match(await logOut(tenants.app, globex), { status: 400, body: { error_description: 'iss is none of the issuers' } })
  await tenants.open(acme)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  await tenants.evict(acme)
  tenants.realms.set(globex.issuer, globex)
  tenants.isAway = true
  const calls = [acme, globex].map((realm) => logOut(tenants.app, realm, { claims: { sid: 'two' } }))
  for (const call of calls) t.match(await call, { status: 503, body: { error: 'temporarily_unavailable' } })
  tenants.isAway = false
  await until(() => tenants.log.text.split('that had to wait is carried out now').length === 3)
  for (const realm of [acme, globex]) t.equal(answer(tenants.of(realm), { sid: 'two' }), 'session_logged_out')
})

t.test('a logout whose issuer cannot be told for ten minutes is lost, with a warning, and so is one of an issuer that is gone', async (t) => {
  const [acme, globex, tenants] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), await new TenantLogouts(t).start()]
  await tenants.open(acme)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  await tenants.evict(acme)
  tenants.isAway = true
  const calls = [acme, globex].map((realm) => logOut(tenants.app, realm))
  for (const call of calls) t.equal((await call).status, 503)
  clocksFor(t).advance(600)
  await until(() => tenants.log.lines.some(({ reasonCode }) => reasonCode === 'push_issuer_late'))
  await until(() => tenants.log.lines.some(({ reasonCode }) => reasonCode === 'push_keys_late'))
  t.match(tenants.log.lines.filter(({ level, msg }) => level === WARN && msg.includes('is lost')), { length: 2 })
  const late = logOut(tenants.app, acme)
  t.equal((await late).status, 503)
  tenants.realms.clear()
  tenants.isAway = false
  await until(() => tenants.log.text.includes('that had to wait is lost: iss is none of the issuers'))
})

t.test('a logout waits on for its key when its realm is dropped meanwhile', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  await acme.down()
  await tenants.open(acme)
  const call = logOut(tenants.app, acme, { claims: { sid: 'one' } })
  await wait(100)
  await tenants.evict(acme)
  await acme.up()
  t.equal((await call).status, 200)
  t.equal(answer(tenants.of(acme), { sid: 'one' }), 'session_logged_out')
  t.same(tenants.asked, [acme.issuer, acme.issuer])
})

t.test('a realm that ends in the moment in which it was made is made again', async (t) => {
  const [acme, tenants] = [await realmFor(t, { name: 'acme' }), await new TenantLogouts(t).start()]
  tenants.realms.set(acme.issuer, acme)
  let times = 0
  tenants.after = async () => { if (times++ === 0) await tenants.evict(acme) }
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  t.equal(answer(tenants.of(acme), { sid: 'one' }), 'session_logged_out')
  t.equal(tenants.asked.length, 2)
})

t.test('an API closes at once with logouts whose issuers are asked about', async (t) => {
  const [acme, globex, tenants] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), await new TenantLogouts(t).start()]
  await tenants.app.listen({ port: 0, host: '127.0.0.1' })
  tenants.before = () => new Promise(() => {})
  const calls = [backchannel(tenants.app, acme.token({ kind: 'logout' })), backchannel(tenants.app, globex.token({ kind: 'logout' }))]
  await until(() => tenants.asked.length === 2)
  await tenants.app.close()
  for (const call of calls) t.match(await call, { status: 503, body: { error_description: 'the API is closing' } })
})
