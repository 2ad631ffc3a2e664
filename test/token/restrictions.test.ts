// authorizedParties, maxTokenAge and tokenType: options that restrict which tokens of the realm are accepted.
import t, { type Test } from 'tap'
import type { KeycloakError, KeycloakOptions } from '../../index.js'
import type { TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, realmFor } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { logOut, LOGOUT } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const EXPIRED = '401 token_expired'
const now = () => Math.floor(Date.now() / 1000)

type Case = [name: string, spec: TokenSpec, answer: string]

/** Ask an API about tokens, by a request and by keycloak.verify(). */
async function answers (t: Test, options: Partial<KeycloakOptions>, cases: Case[]): Promise<void> {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, options)
  for (const [name, spec, answer] of cases) {
    const token = realm.token(spec)
    t.equal(await ask(app, '/me', token), answer, name)
    const verified = await app.keycloak.verify(token).then(() => '200', ({ statusCode, code }: KeycloakError) => `${statusCode} ${code}`)
    t.equal(verified, answer, `${name}, by verify()`)
  }
}

/** What a client id is not. */
const STRANGE = [undefined, null, '', 'other', 'WEB', 'web ', 'web,cli', ['web'], { 0: 'web' }, true, 5]

for (const authorizedParties of ['web', ['web', 'cli']]) {
  t.test(`authorizedParties: ${JSON.stringify(authorizedParties)} accepts tokens of these clients alone`, async (t) => {
    await answers(t, { authorizedParties }, [
      ['azp web', { claims: { azp: 'web' } }, '200'],
      ['azp cli', { claims: { azp: 'cli' } }, typeof authorizedParties === 'string' ? NOT_VALID : '200'],
      ...STRANGE.map((azp): Case => [`azp ${JSON.stringify(azp)}`, { claims: { azp } }, NOT_VALID]),
      ['client_id in place of azp', { claims: { azp: undefined, client_id: 'web' } }, NOT_VALID],
      ['one of the realm\'s signature, but expired', { expired: true, claims: { azp: 'other' } }, EXPIRED]
    ])
  })
}

t.test('maxTokenAge counts from iat, to the second, and leeway is added', async (t) => {
  const clocks = clocksFor(t)
  clocks.jump(Math.ceil(Date.now() / 1000) - Date.now() / 1000)
  const expiresIn = 9999
  await answers(t, { maxTokenAge: 600, leeway: 30 }, [
    ['new', {}, '200'],
    ['younger', { claims: { iat: now() - 628 }, expiresIn }, '200'],
    ['a fraction younger', { claims: { iat: now() - 628.5 }, expiresIn }, '200'],
    ['of that age', { claims: { iat: now() - 630 }, expiresIn }, NOT_VALID],
    ['older', { claims: { iat: -1e300 }, expiresIn }, NOT_VALID],
    ['older, and expired', { claims: { iat: 1 }, expired: true }, EXPIRED],
    ['issued ahead of our clock', { claims: { iat: now() + 20 }, expiresIn }, '200']
  ])
})

t.test('a kept token falls when its age is reached, and not before', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { maxTokenAge: 60, leeway: 5, jwks: { maxAge: 86_400_000 } })
  const [token, short] = [realm.token({ expiresIn: 9999 }), realm.token({ expiresIn: 30 })]
  for (let times = 0; times < 3; times++) t.same([await ask(app, '/me', token), await ask(app, '/me', short)], ['200', '200'])
  t.equal(app.keycloak.health().cache?.tokens, 2)
  clocks.advance(40)
  t.same([await ask(app, '/me', token), await ask(app, '/me', short)], ['200', EXPIRED], 'whichever comes first')
  clocks.advance(30)
  t.equal(await ask(app, '/me', token), NOT_VALID)
  t.equal(app.keycloak.health().cache?.tokens, 0)
})

t.test('tokenType: at+jwt demands the header of RFC 9068 and its claims', async (t) => {
  const header = { typ: 'at+jwt' }
  const required = ['sub', 'jti', 'aud']
  await answers(t, { tokenType: 'at+jwt' }, [
    ['of Keycloak', { kind: 'at+jwt' }, '200'],
    ...['application/at+jwt', 'AT+JWT', 'Application/AT+JWT'].map((typ): Case => [typ, { header: { typ } }, '200']),
    ...[undefined, 'JWT', 'jwt', 'at+jwt ', 'x-at+jwt', 'application/jwt', null, 5, ['at+jwt']].map((typ): Case => [`header ${JSON.stringify(typ)}`, { header: { typ } as never }, NOT_VALID]),
    ...required.flatMap((name) => [undefined, '', null, 5, [], {}].map((value): Case => [`${name} ${JSON.stringify(value)}`, { header, claims: { [name]: value } }, NOT_VALID])),
    ['client_id and no azp', { header, claims: { azp: undefined, client_id: 'web' } }, '200'],
    ['azp and no client_id', { header, claims: { azp: 'web', client_id: undefined } }, '200'],
    ['neither', { header, claims: { azp: undefined, client_id: undefined } }, NOT_VALID],
    ...['', null, 5, ['web']].map((value): Case => [`client_id ${JSON.stringify(value)}`, { header, claims: { client_id: value } }, NOT_VALID]),
    ...['', null, 5, ['web']].map((azp): Case => [`azp ${JSON.stringify(azp)}`, { header, claims: { azp, client_id: undefined } }, NOT_VALID]),
    ['an ID token with this header', { kind: 'id', header }, NOT_VALID]
  ])
})

t.test('tokenType demands an aud even where none is configured', async (t) => {
  const header = { typ: 'at+jwt' }
  await answers(t, { tokenType: 'at+jwt', audience: null }, [
    ['another one', { header, claims: { aud: 'other' } }, '200'],
    ['a list', { header, claims: { aud: ['other'] } }, '200'],
    ...[undefined, '', []].map((aud): Case => [JSON.stringify(aud) ?? 'none', { header, claims: { aud } }, NOT_VALID])
  ])
})

t.test('they hold for tokens whose signature is not checked, too', async (t) => {
  await answers(t, { authorizedParties: 'web', maxTokenAge: 60, tokenType: 'at+jwt', verifySignature: false }, [
    ['good', { kind: 'at+jwt', claims: { azp: 'web' }, forged: true }, '200'],
    ['another client', { kind: 'at+jwt', claims: { azp: 'other' } }, NOT_VALID],
    ['too old', { kind: 'at+jwt', claims: { azp: 'web', iat: now() - 100 } }, NOT_VALID],
    ['another header', { claims: { azp: 'web' } }, NOT_VALID]
  ])
})

t.test('they do not hold for logout tokens', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, authorizedParties: 'web', maxTokenAge: 3600, tokenType: 'at+jwt' })
  const token = realm.token({ kind: 'at+jwt', claims: { azp: 'web' } })
  t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(app, realm, { claims: { azp: 'other' } })).status, 200)
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('they are off by default', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token({ header: { typ: undefined as never }, claims: { azp: undefined, iat: 1, sub: undefined, jti: undefined } })
  t.equal((await app.inject({ url: '/me', headers: bearer(token) })).statusCode, 200)
})

t.test('the reason names the client and the parties, and no value of a token that nobody verified', async (t) => {
  const realm = await realmFor(t)
  const reasonOf = async (verifySignature: boolean, azp: string, authorizedParties = ['web', 'cli']): Promise<string> => {
    const app = await apiFor(t, realm, { verifySignature, authorizedParties })
    return app.keycloak.verify(realm.token({ claims: { azp } })).then(() => 'accepted', ({ reason }: KeycloakError) => reason!)
  }
  const cure = 'add this client to authorizedParties, or send a token of a client that is in it'
  t.equal(await reasonOf(true, 'other'), `azp "other" is none of authorizedParties ["web", "cli"]: ${cure}`)
  t.equal(await reasonOf(true, 'forged\nline'), `azp is none of authorizedParties ["web", "cli"]: ${cure}`)
  t.equal(await reasonOf(false, 'other'), `azp is none of authorizedParties ["web", "cli"]: ${cure}`)
  t.equal(await reasonOf(true, 'x', ['a', 'b', 'c', 'd', 'e', 'f']), `azp "x" is none of authorizedParties ["a", "b", "c", "d", "e", …]: ${cure}`)
})
