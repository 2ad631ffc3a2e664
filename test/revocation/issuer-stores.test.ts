// What a store of several issuers is told: whom to follow, whose revocation it is, and when a realm has ended.
import t from 'tap'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { realmFor, refusalOf, until, wait } from '../support/app.js'
import { logOut, now } from '../support/logout.js'
import { TenantLogouts } from '../support/tenant-logouts.js'

/** A store of several issuers, which a test can break. */
class Notes implements RevocationStore {
  readonly followers = new Map<string, RevocationFollower>()
  readonly calls: string[] = []
  readonly taken: Array<[issuer: string | undefined, id: string | undefined]> = []
  /** Called before a revocation is taken. */
  broken: () => Promise<void> = async () => {}
  /** Called when following one issuer ends. */
  onUnfollow: () => void = () => {}
  isRead = true

  follow (follower: RevocationFollower): void {
    this.calls.push(`follow ${nameOf(follower.issuer)}`)
    this.followers.set(follower.issuer, follower)
    if (this.isRead) follower.upToDate()
  }

  async publish (revocation: Revocation, issuer?: string): Promise<void> {
    await this.broken()
    this.taken.push([nameOf(issuer!), revocation.id])
  }

  unfollow (issuer: string): void {
    this.calls.push(`unfollow ${nameOf(issuer)}`)
    this.onUnfollow()
  }

  close (): void {
    this.calls.push('close')
  }
}

function nameOf (issuer: string): string {
  return issuer.split('/').at(-1)!
}

function refusedBy (check: () => void): string {
  try {
    check()
    return 'let in'
  } catch (error) {
    return (error as { reasonCode: string }).reasonCode
  }
}

const claims = (sid: string) => ({ iss: '', iat: now() - 5, exp: now() + 60, sid })

t.test('an issuer is followed while it has a realm, and told of by its issuer', async (t) => {
  const [acme, globex, store] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  await tenants.open(acme)
  await tenants.open(globex)
  t.match(store.followers.get(acme.issuer), { issuer: acme.issuer, several: true, maxLag: 10_000 })
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  t.same(store.taken, [['acme', 'one']])
  t.equal(refusedBy(() => tenants.of(globex).check(claims('one'))), 'let in')
  await tenants.evict(acme)
  const again = await tenants.open(acme)
  t.equal(refusedBy(() => again.check(claims('one'))), 'session_logged_out')
  await tenants.app.close()
  t.same(store.calls, ['follow acme', 'follow globex', 'unfollow acme', 'follow acme', 'close'])
})

t.test('a realm that is made again lets no token in before the store was read', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  const first = await tenants.open(acme)
  t.equal(refusedBy(() => first.check(claims('one'))), 'let in')
  await tenants.evict(acme)
  store.isRead = false
  const again = await tenants.open(acme)
  t.equal(refusedBy(() => again.check(claims('one'))), 'revocations_unheard')
  t.match(again.health(), { ok: false, lag: null })
  store.followers.get(acme.issuer)!.receive({ kind: 'session', id: 'one', at: now() })
  store.followers.get(acme.issuer)!.upToDate()
  t.equal(refusedBy(() => again.check(claims('one'))), 'session_logged_out')
  t.equal(refusedBy(() => again.check(claims('two'))), 'let in')
})

t.test('a revocation that the store could not take is not lost with its realm', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  await tenants.open(acme)
  store.broken = async () => { throw new Error('OOM') }
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 503)
  await tenants.evict(acme)
  t.notOk(store.calls.includes('unfollow acme'), 'the issuer is followed until the store has it')
  store.broken = async () => {}
  await until(() => store.taken.length === 1)
  t.same(store.taken, [['acme', 'one']])
  await until(() => store.calls.includes('unfollow acme'))
})

t.test('nor is one that the store fails to take late', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  await tenants.open(acme)
  let fail!: (error: Error) => void
  store.broken = () => new Promise((_resolve, reject) => { fail = reject })
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 503)
  await tenants.evict(acme)
  store.broken = async () => {}
  fail(new Error('late'))
  await until(() => store.taken.length === 1)
  await until(() => store.calls.includes('unfollow acme'))
})

t.test('a realm that ends without a start was not followed, and a store that fails to end disturbs nobody', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  const { revocations } = tenants
  revocations.of(tenants.settingsOf(acme), {} as never).close()
  t.same(store.calls, [])
  await tenants.open(acme)
  const follower = store.followers.get(acme.issuer)!
  store.onUnfollow = () => { throw Object.assign(new Error('secret'), { code: 'ECONNRESET' }) }
  follower.failed(new Error('x'))
  await tenants.evict(acme)
  await until(() => tenants.log.text.includes('the store of revocations cannot end following an issuer: ECONNRESET'))
  t.notMatch(tenants.log.text, 'secret')
  follower.failed(new Error('y'))
  t.equal(tenants.log.text.split('cannot be read').length, 2, 'what it says later about that issuer is not heard')
})

t.test('a push during the load of a realm is told to a store that follows it', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  tenants.realms.set(acme.issuer, acme)
  tenants.beforeStart = () => wait(300)
  const opened = tenants.open(acme)
  await until(() => tenants.asked.length === 1)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  t.same(store.calls, ['follow acme'])
  t.same(store.taken, [['acme', 'one']])
  const realm = await opened
  t.equal(refusedBy(() => realm.check(claims('one'))), 'session_logged_out')
})

t.test('a listener hears of logouts though the realm has ended', async (t) => {
  const [acme, store] = [await realmFor(t, { name: 'acme' }), new Notes()]
  const tenants = await new TenantLogouts(t, { revocation: { store } }).start()
  const told: unknown[] = []
  const end = (await tenants.open(acme)).onRevoked(({ id }) => { told.push(id) })
  await tenants.evict(acme)
  t.equal((await logOut(tenants.app, acme, { claims: { sid: 'one' } })).status, 200)
  t.same(told, ['one'])
  await tenants.evict(acme)
  t.notOk(store.calls.includes('unfollow acme'))
  end()
  end()
  t.ok(store.calls.includes('unfollow acme'))
})

t.test('a store that is made for one issuer stops the start with several', async (t) => {
  const store = { follow () {}, publish: async () => {}, close () {} }
  const sentence = 'fastify-keycloak-bearer: option "revocation.store" must have unfollow(issuer) with issuers, as redisStore() has; without it, it is made for one issuer'
  const entry = { issuer: 'https://sso.example.com/realms/acme', audience: 'api' }
  for (const issuers of [[entry], () => null]) t.equal(await refusalOf({ issuers, startCheck: false, revocation: { store } }), sentence)
  t.equal(await refusalOf({ issuers: [entry], startCheck: false, revocation: { store: new Notes() } }), 'started')
})
