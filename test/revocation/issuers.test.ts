// The entries of several issuers under one bound: an id is unique within its issuer alone.
import t from 'tap'
import type { AccessTokenClaims } from '../../types/user.js'
import { ReplayGuard } from '../../lib/revocation/replay-guard.js'
import { RevocationList } from '../../lib/revocation/revocation-list.js'
import { SharedLimit } from '../../lib/revocation/shared-limit.js'
import { now } from '../support/logout.js'

const NOW = now()

function lists (max: number): { one: RevocationList, other: RevocationList, full: string[] } {
  const [limit, full] = [new SharedLimit(max), [] as string[]]
  const create = (name: string) => new RevocationList({ maxTokenLifetime: 3600, leeway: 0, limit, notBefore: 0, onFull: () => { full.push(name) } })
  return { one: create('one'), other: create('other'), full }
}

function answer (list: RevocationList, claims: Partial<AccessTokenClaims>): string {
  try {
    list.check({ iat: NOW - 60, exp: NOW + 60, ...claims } as AccessTokenClaims, false)
    return 'let in'
  } catch (error) {
    return (error as { reason: string }).reason
  }
}

t.test('a session, a user and a not-before date of one issuer are none of another', async (t) => {
  const { one, other } = lists(10)
  const at = NOW - 30
  one.take({ kind: 'session', id: 'same', at })
  one.take({ kind: 'user', id: 'same', at })
  t.equal(answer(one, { sid: 'same' }), 'the session was logged out')
  t.equal(answer(one, { sub: 'same' }), 'the user was logged out')
  t.equal(answer(other, { sid: 'same', sub: 'same' }), 'let in')
  t.equal(answer(other, { sid: 'any' }), 'let in', 'nor is a token that names no user')
  one.take({ kind: 'realm', at, call: { id: 'push', until: NOW + 60 } })
  one.take({ kind: 'everybody', at: at - 10 })
  t.equal(answer(one, { sid: 'another' }), 'the token was issued before the not-before date')
  t.equal(answer(other, { sid: 'another' }), 'let in')
  t.same([...other.current()], [])
})

t.test('an issuer that fills the list up takes nothing from one that has less', async (t) => {
  const { one, other, full } = lists(10)
  for (let at = 0; at < 3; at++) other.take({ kind: 'session', id: `other ${at}`, at: NOW - 100 + at })
  for (let at = 0; at < 50; at++) one.take({ kind: at % 2 === 0 ? 'session' : 'user', id: `one ${at}`, at: NOW - 50 + at })
  t.equal(one.size + other.size, 10)
  t.equal(other.size, 3, 'though its entries are older')
  t.equal(other.notBefore, 0)
  t.ok(one.notBefore > NOW - 50, 'nobody of the first is forgotten')
  t.equal(answer(other, { sid: 'other 0' }), 'the session was logged out')
  t.same([...new Set(full)], ['one'])
  for (let at = 0; at < 20; at++) other.take({ kind: 'session', id: `more ${at}`, at: NOW - 40 + at })
  t.same([one.size, other.size], [5, 5], 'until both have their share')
  t.ok(other.notBefore > 0)
})

t.test('an id of a push of one issuer is no replay at another, and none is pushed out by it', async (t) => {
  const limit = new SharedLimit(4)
  const [one, other] = [new ReplayGuard(limit), new ReplayGuard(limit)]
  t.equal(one.take('same', NOW + 60), true)
  t.equal(one.take('same', NOW + 60), false)
  t.equal(other.take('same', NOW + 60), true)
  for (let at = 0; at < 50; at++) one.take(`id ${at}`, NOW + 60)
  t.equal(one.size + other.size, 4)
  t.equal(other.take('same', NOW + 60), false)
  other.release('same')
  t.equal(other.take('same', NOW + 60), true)
  t.equal(one.take('same', NOW + 60), true, 'of its own it forgets the oldest')
})
