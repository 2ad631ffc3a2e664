import t from 'tap'
import type { Revocation, RevocationFollower } from '../../types/revocation.js'
import { apiFor, ask, type Log, logging, realmFor, until, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { action, backchannel, LOGOUT, logOut, now, push } from '../support/logout.js'

const INFO = 30

function warnings ({ lines }: Log): Array<{ msg: string, unwritten?: number }> {
  return lines.filter(({ level }) => level === WARN)
}

function warned (log: Log, text: string): number {
  return warnings(log).filter(({ msg }) => msg.includes(text)).length
}

/** What was said of calls that were carried out. */
function carriedOut ({ lines }: Log): unknown[] {
  return lines.filter(({ level, msg }) => level === INFO && msg.includes('carried out')).map(({ msg, ended }) => [msg, ended])
}

t.test('junk hides no other warning: each cause has a budget of its own', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  let follower!: RevocationFollower
  const taken: Revocation[] = []
  const store = {
    follow (each: RevocationFollower) {
      follower = each
      follower.upToDate()
    },
    async publish (revocation: Revocation) {
      if (revocation.kind === 'user') throw new Error('OOM command not allowed')
      taken.push(revocation)
    },
    close: () => {}
  }
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { max: 1, store } }, log)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const junk = ['x', realm.token({ kind: 'logout', forged: true }), realm.token(), realm.token({ kind: 'id' }), realm.token({ kind: 'logout', kid: 'unknown' })]
  const calls = Array.from({ length: 12 }, () => [...junk.map((each) => backchannel(app, each)), push(app, realm.token(), 'k_logout')])
  for (const { status } of await Promise.all(calls.flat())) t.equal(status, 400)
  for (let times = 0; times < 12; times++) follower.receive('nonsense')
  t.equal(warned(log, 'was refused'), 10, 'access tokens of users are junk as well, though the realm has signed them')
  t.equal(warned(log, 'holds something that is none'), 10)

  t.equal((await logOut(app, realm, { expired: true })).status, 400)
  t.equal(warned(log, 'a back-channel logout was refused: the call ended'), 1, 'a logout that Keycloak signed')
  t.equal((await push(app, realm.sign(action('LOGOUT', { resource: 'other' })), 'k_logout')).status, 400)
  t.equal(warned(log, 'a logout by the admin URL was refused: the resource is not this client'), 1)
  t.equal((await logOut(app, realm)).status, 200)
  t.equal((await logOut(app, realm, { username: 'bob' })).status, 200)
  t.equal(warned(log, 'revocation.max'), 1, 'a full memory')
  t.equal((await logOut(app, realm, { username: 'carol', claims: { sid: undefined } })).status, 503)
  t.equal(warned(log, 'the store of revocations cannot be written: OOM'), 1, 'a failing store')
  t.equal(warned(log, 'cannot be carried out at once: the call counts on this instance'), 1)
})

t.test('calls that Keycloak signed for others do not hide that ours are refused', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  for (let times = 0; times < 60; times++) t.equal((await logOut(app, realm, { claims: { aud: 'other' } })).status, 400)
  const token = realm.token({ kind: 'logout' })
  t.equal((await backchannel(app, token)).status, 200)
  for (let times = 0; times < 60; times++) t.equal((await backchannel(app, token)).status, 400)
  t.equal((await logOut(app, realm, { claims: { iat: now() + 3600 } })).status, 400)
  const [last] = warnings(log).slice(-1)
  t.match(last, { msg: /^a back-channel logout was refused: the call is dated 3[56]\d\d s in the future/, unwritten: 50 })
  t.equal(warned(log, 'aud names'), 10)
  t.equal(warned(log, 'the call was made before'), 10)
})

t.test('what was not written is counted by cause, and told with the next line of that cause', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const clocks = clocksFor(t)
  for (let times = 0; times < 15; times++) await backchannel(app, 'x')
  t.equal((await logOut(app, realm, { expired: true })).status, 400)
  t.match(warnings(log).slice(-1), [{ msg: 'a back-channel logout was refused: the call ended', unwritten: undefined }])
  clocks.advance(10.1)
  await backchannel(app, 'x')
  t.match(warnings(log).slice(-1), [{ msg: 'a back-channel logout was refused: the token does not have three parts', unwritten: 5 }])
})

t.test('a call that was carried out is one line at info, with what it ended and no ids', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const sid = 'the-session-of-alice'
  const sub = 'the-user-alice'
  t.equal((await logOut(app, realm, { sub, claims: { sid } })).status, 200)
  t.equal((await logOut(app, realm, { sub, claims: { sid: undefined } })).status, 200)
  const pushes: Array<['PUSH_NOT_BEFORE' | 'LOGOUT', object]> = [
    ['LOGOUT', { keycloakSessionIds: [sid] }], ['LOGOUT', { keycloakSessionIds: [sid, 'another', 'third'] }],
    ['LOGOUT', {}], ['PUSH_NOT_BEFORE', {}], ['PUSH_NOT_BEFORE', { notBefore: 0 }]
  ]
  for (const [name, more] of pushes) {
    const route = name === 'LOGOUT' ? 'k_logout' : 'k_push_not_before'
    t.equal((await push(app, realm.sign(action(name, more as Record<string, unknown>)), route)).status, 200)
  }
  t.same(carriedOut(log), [
    ['a back-channel logout was carried out: 1 session', { kind: 'session', count: 1 }],
    ['a back-channel logout was carried out: 1 user', { kind: 'user', count: 1 }],
    ['a logout by the admin URL was carried out: 1 session', { kind: 'session', count: 1 }],
    ['a logout by the admin URL was carried out: 3 sessions', { kind: 'session', count: 3 }],
    ['a logout by the admin URL was carried out: all sessions', { kind: 'everybody', count: 1 }],
    ['a push of not-before was carried out: a not-before for all tokens', { kind: 'realm', count: 1 }],
    ['a push of not-before was carried out: no not-before any more', { kind: 'realm', count: 1 }]
  ])
  t.notMatch(log.text, new RegExp(`${sid}|${sub}|eyJ`))
})

t.test('a call that was refused is no such line, nor is one that is repeated', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const token = realm.token({ kind: 'logout' })
  await Promise.all([backchannel(app, token), backchannel(app, token), logOut(app, realm, { forged: true }), logOut(app, realm, { expired: true })])
  t.equal((await backchannel(app, token)).status, 400)
  t.equal(carriedOut(log).length, 1)
})

t.test('a call whose key cannot be fetched for ten minutes is lost, with a warning', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  await realm.down()
  t.equal((await logOut(app, realm)).status, 503)
  clocksFor(t).advance(600)
  await until(() => warned(log, 'a back-channel logout that had to wait is lost: the keys could not be fetched in time') > 0)
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_keys_late'))
  await realm.up()
  t.equal((await logOut(app, realm, { username: 'bob' })).status, 200)
  t.equal(app.keycloak.health().revocation!.entries, 1, 'of the one that came later')
})
