import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { apiFor, ask, logging, realmFor, until, wait, WARN } from '../support/app.js'
import { action, backchannel, LOGOUT, logOut, now, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'

/** Most of them wait. */
t.jobs = 4

/** A store of one's own, such as a test can break. */
class Notes implements RevocationStore {
  readonly taken: Revocation[] = []
  readonly tries: Revocation[] = []
  follower: RevocationFollower | undefined
  closed = 0
  /** What publishing does instead. */
  broken: (() => Promise<void>) | undefined

  follow (follower: RevocationFollower): void {
    this.follower = follower
    follower.upToDate()
  }

  async publish (revocation: Revocation): Promise<void> {
    this.tries.push(revocation)
    await this.broken?.()
    this.taken.push(revocation)
  }

  close (): void {
    this.closed++
  }
}

/** A logout that the store takes at the second try, and with it all that waited for the store before. */
async function publishedLater (app: FastifyInstance, realm: TestRealm, store: Notes): Promise<void> {
  store.broken = async () => { throw new Error('once') }
  const sid = `later ${store.tries.length}`
  t.equal((await logOut(app, realm, { claims: { sid } })).status, 503)
  store.broken = undefined
  await until(() => store.taken.some(({ id }) => id === sid))
}

t.test('a store of one\'s own is told what was revoked, and tells what others revoked', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const app = await apiFor(t, realm, { ...LOGOUT, leeway: 5, revocation: { store, maxTokenLifetime: 100, maxLag: 700 } })
  t.match(store.follower, { issuer: realm.issuer, lifetime: 105, maxLag: 700 })
  const at = now()
  const jti = 'the id of the call'
  t.equal((await logOut(app, realm, { claims: { sid: 's', jti, iat: at, exp: at + 50 } })).status, 200)
  t.same(store.taken, [{ kind: 'session', id: 's', at, call: { id: jti, until: at + 55 } }])
  store.follower!.receive({ kind: 'user', id: 'someone', at })
  store.follower!.receive({ kind: 'everybody', at: at - 10 })
  t.equal(await ask(app, '/me', realm.token({ sub: 'someone', claims: { iat: at } })), NOT_VALID)
  store.follower!.upToDate()
  t.same([...store.follower!.current()], [
    { kind: 'session', id: 's', at }, { kind: 'user', id: 'someone', at }, { kind: 'everybody', at: at - 10 }
  ])
  t.match(app.keycloak.health().revocation, { ok: true, entries: 2, notBefore: at - 10, lag: Number })
  await app.close()
  t.equal(store.closed, 1)
})

t.test('an instance that is told of logouts by others needs no routes of its own', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const app = await apiFor(t, realm, { revocation: { store } })
  store.follower!.receive({ kind: 'user', id: 'x', at: now() })
  t.equal(await ask(app, '/me', realm.token({ sub: 'x' })), NOT_VALID)
  t.equal((await logOut(app, realm).catch(() => ({ status: 404 }))).status, 404)
})

t.test('a logout that the store does not take holds here, is 503, and is tried again until it is taken', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const log = logging()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store } }, log)
  const tokens = { alice: realm.token({ kind: 'logout' }), bob: realm.token({ kind: 'logout', username: 'bob' }) }
  store.broken = async () => { throw Object.assign(new Error('OOM command not allowed'), { secret: 'never-log-me' }) }
  t.equal((await backchannel(app, tokens.alice)).status, 503)
  t.equal((await backchannel(app, tokens.bob)).status, 503)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  t.match(log.lines.find(({ msg }) => msg.includes('written')), { level: WARN, msg: 'the store of revocations cannot be written: OOM' })
  t.notMatch(log.text, /never-log-me|not allowed/)
  await until(() => store.tries.length >= 4)
  t.same(store.taken, [])
  store.broken = undefined
  t.equal((await backchannel(app, tokens.alice)).status, 200, 'whoever makes the call again is answered')
  await until(() => store.taken.length >= 3)
  t.match(store.taken.map(({ kind }) => kind), ['session', 'session', 'session'])
  const tries = store.tries.length
  await publishedLater(app, realm, store)
  t.equal(store.tries.length, tries + 2, 'then it is over: only what fails now is tried again')
})

t.test('a store that does not answer keeps nobody waiting, and what it takes late is not told again', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const log = logging()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store } }, log)
  let answer!: () => void
  store.broken = () => new Promise((resolve) => { answer = resolve })
  t.equal((await logOut(app, realm)).status, 503)
  t.match(log.text, 'the store of revocations cannot be written: no answer within 2000 ms')
  answer()
  await publishedLater(app, realm, store)
  t.match(store.tries[0], { id: store.taken[0]!.id })
  t.equal(store.tries.length, 3, 'two of them for the later one')
  t.equal(store.taken.length, 2)
})

t.test('what a store never takes is forgotten with the tokens it is about, and joined where it is too much', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store, maxTokenLifetime: 2 } })
  store.broken = async () => { throw new Error('no') }
  t.equal((await logOut(app, realm, { claims: { iat: now() - 1 } })).status, 503)
  // It is tried each half second, until it is over.
  for (let tries = 0; tries < store.tries.length; await wait(1500)) tries = store.tries.length
  store.broken = undefined
  await wait(700)
  t.same(store.taken, [])

  const long = new Notes()
  const other = await apiFor(t, realm, { ...LOGOUT, revocation: { store: long } })
  long.broken = async () => { throw new Error('no') }
  const at = now()
  t.equal((await push(other, realm.sign(action('PUSH_NOT_BEFORE', { notBefore: 0 })), 'k_push_not_before')).status, 503)
  t.equal((await push(other, realm.sign(action('LOGOUT', { notBefore: at - 5 })), 'k_logout')).status, 503)
  const keycloakSessionIds = Array.from({ length: 1000 }, (_, number) => String(number))
  t.equal((await push(other, realm.sign(action('LOGOUT', { keycloakSessionIds })), 'k_logout')).status, 503)
  long.broken = undefined
  await until(() => long.taken.some(({ kind }) => kind === 'everybody'))
  await publishedLater(other, realm, long)
  t.ok(long.taken.length <= 4, 'with the later one, which came last')
  t.match(long.taken.find(({ kind }) => kind === 'realm'), { at: 0 })
  const { at: everybody } = long.taken.find(({ kind }) => kind === 'everybody')!
  t.ok(everybody === at + 1 || everybody === at + 2, 'a not-before that covers all of them')
})

t.test('a store that falls silent for maxLag makes requests 503, and is logged when it says why', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const log = logging()
  const app = await apiFor(t, realm, { revocation: { store, maxLag: 300 } }, log)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  for (let times = 0; times < 3; times++) store.follower!.failed(new Error('something with a secret in it'))
  await until(() => !app.keycloak.health().ok)
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  await t.rejects(app.keycloak.verify(token), { code: 'keycloak_unavailable' })
  t.equal(app.keycloak.health().ok, false)
  store.follower!.receive({ kind: 'user', id: 'x', at: now() })
  t.equal(await ask(app, '/me', realm.token({ sub: 'x' })), NOT_VALID, 'what is known to be revoked is so all the same')
  store.follower!.upToDate()
  t.equal(await ask(app, '/me', token), '200')
  t.match(log.lines.filter(({ msg }) => msg.startsWith('the store')), [
    { level: WARN, msg: 'the store of revocations cannot be read: the call failed' },
    { msg: 'the store of revocations can be read again' }
  ])
  t.notMatch(log.text, 'secret')
})

t.test('of what a store fails with the log has a code that looks like one, and nothing else', async (t) => {
  const realm = await realmFor(t)
  const names = 'CN=alice.example'
  const failures: Array<[error: unknown, logged: string]> = [
    [Object.assign(new Error(`altnames: ${names}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID', reason: `Host is not in ${names}` }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [{ reason: names }, 'the call failed'],
    [new KeycloakError('keycloak_unavailable', names), 'the call failed'],
    [Object.assign(new Error(names), { code: names }), 'the call failed'],
    [Object.assign(new Error(names), { code: `ENOENT ${names}` }), 'the call failed'],
    [Object.assign(new Error(names), { code: { toString: () => 'ALICE' } }), 'the call failed'],
    [new Error('ALICE logged in'), 'the call failed'],
    [new Error(`WRONGPASS invalid username-password pair of ${names}`), 'WRONGPASS'],
    [new Error('ERRATIC'), 'the call failed'],
    [new Error('', { cause: new Error(names) }), 'the call failed'],
    [{ message: { split: () => [names] } }, 'the call failed'],
    [names, 'the call failed'],
    [Symbol(names), 'the call failed'],
    [null, 'the call failed'],
    [undefined, 'the call failed']
  ]
  for (const [error, logged] of failures) {
    const [store, log] = [new Notes(), logging()]
    const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store } }, log)
    store.broken = async () => { throw error }
    t.match(await logOut(app, realm), { status: 503, body: { error_description: 'the call counts on this instance, and on the others as soon as the store of revocations takes it' } })
    store.follower!.failed(error)
    t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_not_spread'))
    t.match(log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg).filter((msg) => msg.startsWith('the store')), [
      `the store of revocations cannot be written: ${logged}`,
      `the store of revocations cannot be read: ${logged}`
    ])
    t.notMatch(log.text, /alice|ALICE/)
    await app.close()
  }
})

t.test('a wrong option of revocation stops the start with one sentence', async (t) => {
  const good = { issuer: 'https://sso.example.com/realms/acme' }
  const cases: Array<[object, RegExp]> = [
    [{ backchannelLogout: '/x' }, /option "backchannelLogout" must be an object with path and clients, not a string$/],
    [{ backchannelLogout: { path: '/x' } }, /option "backchannelLogout\.clients" must be the id of the client that users log in by, .*, not undefined$/],
    [{ backchannelLogout: { path: '/x', clients: [] } }, /option "backchannelLogout\.clients" must be/],
    [{ backchannelLogout: { path: 'x', clients: 'web' } }, /option "backchannelLogout\.path" must be the path of a route/],
    [{ backchannelLogout: { path: '/x/*', clients: 'web' } }, /option "backchannelLogout\.path" must be/],
    [{ backchannelLogout: { paht: '/x', clients: 'web' } }, /option "backchannelLogout\.paht" is unknown; write "backchannelLogout\.path"$/],
    [{ adminUrl: '/x' }, /option "adminUrl" must be an object with path, not a string$/],
    [{ adminUrl: { path: '' } }, /option "adminUrl\.path" must be .*, not an empty string$/],
    [{ adminUrl: { url: '/x' } }, /option "adminUrl\.url" is unknown/],
    [{ revocation: true }, /option "revocation" must be an object with maxTokenLifetime, max, store, maxLag and leeway, not true$/],
    [{ revocation: { maxTokenLifetime: 0 } }, /option "revocation\.maxTokenLifetime" must be a whole number of seconds from 1, not 0$/],
    [{ revocation: { max: 1.5 } }, /option "revocation\.max" must be/],
    [{ revocation: { maxLag: 10 } }, /option "revocation\.maxLag" must be a whole number of milliseconds from 100 to/],
    [{ revocation: { leeway: -1 } }, /option "revocation\.leeway" must be a number of seconds, 0 or more, not -1$/],
    [{ revocation: { leeway: 86_401 } }, /option "revocation\.leeway" must be a number of seconds, a day at the most, not 86401$/],
    [{ revocation: { store: {} } }, /option "revocation\.store" must be a store of revocations, such as redisStore/],
    [{ revocation: { store: null } }, /option "revocation\.store" must be a store of revocations/],
    [{ revocation: { maxlag: 1 } }, /option "revocation\.maxlag" is unknown; write "revocation\.maxLag"$/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    await t.rejects(async () => { await app.register(keycloak, { ...good, ...options } as never) }, { name: 'TypeError', message }, JSON.stringify(options))
    await app.close()
  }
})

/** A store that several instances share, and that tells each of them in one order, when the test says so. */
class Stream {
  readonly entries: Revocation[] = []
  readonly #followers: Array<{ follower: RevocationFollower, read: number }> = []

  store (): RevocationStore {
    return {
      follow: (follower) => {
        this.#followers.push({ follower, read: 0 })
        this.tell()
      },
      publish: async (revocation) => { this.entries.push(revocation) },
      close () {}
    }
  }

  tell (): void {
    for (const each of this.#followers) {
      while (each.read < this.entries.length) each.follower.receive(structuredClone(this.entries[each.read++]))
      each.follower.upToDate()
    }
  }
}

t.test('instances that were pushed not-before dates in different orders agree, and those that start later with them', async (t) => {
  const realm = await realmFor(t)
  const at = now()
  const dates: Array<[notBefore: number, expiration: number]> = [[at - 50, at + 30], [0, at + 31], [at - 20, at + 28], [at - 40, at + 31]]
  const stream = new Stream()
  const start = () => apiFor(t, realm, { ...LOGOUT, revocation: { store: stream.store() } })
  const apps = [await start(), await start()]
  const notBefore = (app = apps[0]!) => app.keycloak.health().revocation!.notBefore
  // Each order, and each of the instances in turn: 4! times 2 to the fourth would be 384.
  for (let round = 0; round < 48; round++) {
    const left = [...dates]
    for (let step = 0, order = round; left.length > 0; step++) {
      const [[date, expiration]] = left.splice(order % left.length, 1) as [[number, number]]
      order = Math.floor(order / (left.length + 1))
      const token = realm.sign(action('PUSH_NOT_BEFORE', { notBefore: date, expiration: expiration + round * 10 }))
      t.equal((await push(apps[(round + step) % 2]!, token, 'k_push_not_before')).status, 200)
      if (round % 3 === 0) stream.tell()
    }
    stream.tell()
    t.equal(notBefore(apps[1]), notBefore(), `round ${round}`)
  }
  t.equal(notBefore(await start()), notBefore())
  t.equal((await push(apps[1]!, realm.sign(action('PUSH_NOT_BEFORE', { notBefore: 0, expiration: at + 1000 })), 'k_push_not_before')).status, 200)
  stream.tell()
  for (const app of [...apps, await start()]) t.equal(notBefore(app), 0, 'and an administrator can take it back for all')
})

t.test('a push that waits for the store is not told once its date was taken back, and the highest is told first', async (t) => {
  const realm = await realmFor(t)
  const store = new Notes()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store } })
  const at = now()
  const pushed = async (notBefore: number, expiration: number) =>
    (await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore, expiration })), 'k_push_not_before')).status
  store.broken = async () => { throw new Error('no') }
  t.equal(await pushed(at - 10, at + 30), 503)
  store.broken = undefined
  t.equal(await pushed(0, at + 31), 200)
  await publishedLater(app, realm, store)
  t.match(store.taken, [{ kind: 'realm', at: 0 }, { kind: 'session' }])

  store.taken.length = 0
  store.broken = async () => { throw new Error('no') }
  t.equal(await pushed(at - 10, at + 32), 503)
  t.equal(await pushed(at - 20, at + 31), 503)
  const keycloakSessionIds = Array.from({ length: 1000 }, (_, number) => String(number))
  t.equal((await push(app, realm.sign(action('LOGOUT', { keycloakSessionIds })), 'k_logout')).status, 503)
  store.broken = undefined
  await until(() => store.taken.some(({ kind }) => kind === 'realm'))
  t.match(store.taken.filter(({ kind }) => kind === 'realm'), [{ kind: 'realm', at: at - 10 }], 'where they are joined too')
})
