import t from 'tap'
import type { TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'
const EXPIRED = '401 token_expired'
const now = () => Math.floor(Date.now() / 1000)

t.test('dates must be there, be finite numbers and fit the clock', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const cases: Array<[string, TokenSpec['claims'], string]> = [
    ['good', {}, '200'],
    ['exp missing', { exp: undefined }, NOT_VALID],
    ['exp a string', { exp: String(now() + 60) }, NOT_VALID],
    ['exp null', { exp: null }, NOT_VALID],
    ['exp an array', { exp: [now() + 60] }, NOT_VALID],
    ['exp past', { exp: now() - 1 }, EXPIRED],
    ['exp this second', { exp: now() }, EXPIRED],
    ['exp far in the past', { exp: -1e300 }, EXPIRED],
    ['exp with a fraction', { exp: now() + 60.5 }, '200'],
    ['exp beyond all dates', { exp: 1e300 }, '200'],
    ['iat missing', { iat: undefined }, NOT_VALID],
    ['iat in the future', { iat: now() + 60 }, NOT_VALID],
    ['iat a string', { iat: 'now' }, NOT_VALID],
    ['nbf in the future', { nbf: now() + 60 }, NOT_VALID],
    ['nbf past', { nbf: now() - 60 }, '200'],
    ['nbf no number', { nbf: true }, NOT_VALID]
  ]
  for (const [name, claims, answer] of cases) t.equal(await ask(app, '/open', realm.token({ claims })), answer, name)
  const infinite = JSON.stringify({ iss: realm.issuer, aud: 'api', iat: 1, preferred_username: 'x' }).replace('{', '{"exp":1e999,')
  t.equal(await ask(app, '/open', realm.sign(Buffer.from(infinite))), NOT_VALID, 'exp 1e999, which JSON.parse makes Infinity')
})

t.test('leeway bridges clocks that differ by so many seconds, for exp, iat and nbf', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { leeway: 30 })
  for (const [claim, inside, outside, refused] of [['exp', -20, -40, EXPIRED], ['iat', 20, 40, NOT_VALID], ['nbf', 20, 40, NOT_VALID]] as const) {
    t.equal(await ask(app, '/open', realm.token({ claims: { [claim]: now() + inside } })), '200', claim)
    t.equal(await ask(app, '/open', realm.token({ claims: { [claim]: now() + outside } })), refused, claim)
  }
})

t.test('iss must be the issuer to the letter', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const iss of [undefined, null, '', `${realm.issuer}/`, realm.issuer.toUpperCase(), [realm.issuer], 'https://evil.example/realms/test']) {
    t.equal(await ask(app, '/open', realm.token({ claims: { iss } })), NOT_VALID, String(iss))
  }
})

t.test('aud must overlap with the audience, and be a string or an array of strings', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { audience: ['api', 'other'] })
  for (const aud of ['api', ['api'], ['x', 'other'], ['account', 'api']]) t.equal(await ask(app, '/open', realm.token({ claims: { aud } })), '200', String(aud))
  for (const aud of [undefined, null, '', 'x', [], ['x'], 5, ['api', 5], { 0: 'api' }, 'api ', ['API']]) {
    t.equal(await ask(app, '/open', realm.token({ claims: { aud } })), NOT_VALID, JSON.stringify(aud))
  }
})

t.test('with audience null any aud will do, or none, but not a wrong type', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { audience: null })
  for (const aud of [undefined, 'x', ['x'], []]) t.equal(await ask(app, '/open', realm.token({ claims: { aud } })), '200', JSON.stringify(aud))
  t.equal(await ask(app, '/open', realm.token({ claims: { aud: 5 } })), NOT_VALID)
})

t.test('tokens of other kinds are refused, though the realm signed them', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { audience: null })
  for (const kind of ['id', 'refresh', 'offline', 'logout', 'dpop'] as const) t.equal(await ask(app, '/open', realm.token({ kind })), NOT_VALID, kind)
  t.equal(await ask(app, '/open', realm.token({ kind: 'at+jwt' })), '200')
  for (const typ of ['bearer', '', null, ['Bearer'], 'DPoP']) t.equal(await ask(app, '/open', realm.token({ claims: { typ } })), NOT_VALID, String(typ))
  t.equal(await ask(app, '/open', realm.token({ claims: { typ: undefined } })), '200', 'typ absent')
})

t.test('a sender-constrained token is not a bearer token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null]) t.equal(await ask(app, '/open', realm.token({ claims: { cnf } })), NOT_VALID, JSON.stringify(cnf))
})

t.test('sub and jti are strings, where present', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const claim of ['sub', 'jti']) {
    t.equal(await ask(app, '/open', realm.token({ claims: { [claim]: undefined } })), '200', `${claim} absent`)
    for (const value of [5, null, ['x'], {}]) t.equal(await ask(app, '/open', realm.token({ claims: { [claim]: value } })), NOT_VALID, `${claim} ${JSON.stringify(value)}`)
  }
})

t.test('of several faults the first in the order of the contract is told', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/open', realm.token({ expired: true, claims: { iss: 'x' } })), EXPIRED, 'expired, of a wrong issuer')
  t.equal(await ask(app, '/open', realm.token({ expired: true, forged: true })), NOT_VALID, 'forged and expired')
  t.equal(await ask(app, '/open', realm.token({ expired: true, claims: { iat: now() + 60 } })), NOT_VALID, 'expired, issued in the future')
  t.equal(await ask(app, '/profile', realm.token({ claims: { preferred_username: undefined } })), NOT_VALID, 'no user, no permission')
})

t.test('verifySignature: false skips the signature and nothing else', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifySignature: false })
  t.equal(await ask(app, '/open', realm.token({ forged: true })), '200')
  t.equal(await ask(app, '/open', realm.token({ expired: true })), EXPIRED)
  t.equal(await ask(app, '/open', realm.token({ claims: { aud: 'x' } })), NOT_VALID)
  t.equal(await ask(app, '/open', realm.token({ header: { alg: 'none' } })), NOT_VALID)
  t.equal(realm.requests.certs, 0)
})

t.test('a token seen before is held against the clock again', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { now: realNow } = Date
  t.teardown(() => { Date.now = realNow })
  const token = realm.token({ claims: { nbf: now() - 10 } })
  t.equal(await ask(app, '/open', token), '200')
  t.equal(await ask(app, '/open', token), '200')
  Date.now = () => realNow() - 3_600_000
  t.equal(await ask(app, '/open', token), NOT_VALID, 'the clock went back before iat')
  Date.now = realNow
  t.equal(await ask(app, '/open', token), '200')
  Date.now = () => realNow() + 3_600_000
  t.equal(await ask(app, '/open', token), EXPIRED)
  Date.now = realNow
  const early = realm.token({ claims: { iat: now() - 50, nbf: now() - 10, exp: now() + 10_000 } })
  t.equal(await ask(app, '/open', early), '200')
  Date.now = () => realNow() - 20_000
  t.equal(await ask(app, '/open', early), NOT_VALID, 'the clock went back before nbf')
})

t.test('a token that differs in one character anywhere from one seen before is not the same', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  t.equal(await ask(app, '/open', token), '200')
  for (const at of [5, 100, token.indexOf('.') + 20, token.lastIndexOf('.') - 3, token.lastIndexOf('.') + 5, token.length - 30, token.length - 2]) {
    const other = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    t.equal(await ask(app, '/open', other), NOT_VALID, `at ${at}`)
  }
})

t.test('only so many tokens are kept, and none with cache: false', async (t) => {
  const realm = await realmFor(t)
  for (const cache of [{ max: 2 }, false] as const) {
    const app = await apiFor(t, realm, { cache })
    const tokens = ['alice', 'bob', 'carol', 'alice'].map((username) => realm.token({ username }))
    for (const token of [...tokens, ...tokens, tokens[3]!]) t.equal(await ask(app, '/open', token), '200')
  }
})
