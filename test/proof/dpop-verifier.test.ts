// The decision on a proof by itself: the vectors of the RFCs, every algorithm, and what is wrong with a proof.
import { generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import type { KeycloakError } from '../../index.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { SignaturePool } from '../../lib/keys/signature-pool.js'
import { dpopGroup } from '../../lib/options/dpop.js'
import { filledIn } from '../../lib/options/schemas.js'
import { DpopVerifier } from '../../lib/proof/dpop-verifier.js'
import { proofJwk } from '../../lib/proof/proof-key.js'
import { createTestRealm } from '../../lib/testing/index.js'
import type { DpopOptions } from '../../types/dpop.js'
import { clocksFor } from '../support/clocks.js'
import { proofKey, type ProofSpec } from '../support/proofs.js'

const URL_OF = 'https://api.example.com/x'
const TOKEN = 'token'
const key = proofKey()

function verifierFor (options: DpopOptions = {}, pool?: SignaturePool): DpopVerifier {
  return new DpopVerifier(filledIn(dpopGroup, options), { closing: new Closing(), pool, log: { warn: () => {} } })
}

/** `good`, or the reason of the refusal. */
async function verdict (verifier: DpopVerifier, proofs: readonly string[], jkt = key.jkt, method = 'GET'): Promise<string> {
  try {
    await verifier.check(jkt, TOKEN, { method, url: URL_OF, proofs })
    return 'good'
  } catch (error) {
    return (error as KeycloakError).reasonCode
  }
}

const proof = (spec: ProofSpec = {}): string => key.proof({ url: URL_OF, token: TOKEN, ...spec })

/** A good signature over bytes that are no UTF-8: 0xff takes the place of the letter after `mark`, in header or payload. */
function notUtf8 (mark: string, segment: 0 | 1): string {
  const segments = proof({ header: { x: 'marked-x' }, payload: { jti: 'marked-jti' } }).split('.').slice(0, 2)
  const bytes = Buffer.from(segments[segment]!, 'base64url')
  bytes[bytes.indexOf(mark) + mark.length] = 0xff
  segments[segment] = bytes.toString('base64url')
  const signed = segments.join('.')
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const RFC_PROOF = 'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA'

t.test('the proof of RFC 9449 section 7.1, with the clock stopped at its time', async (t) => {
  const clocks = clocksFor(t)
  clocks.jump(1562262618 - Date.now() / 1000)
  const presentation = { method: 'GET', url: 'https://resource.example.org/protectedresource', proofs: [RFC_PROOF] }
  const verifier = verifierFor()
  t.equal(await verifier.check('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU', presentation), undefined)
})

/** RFC 9449 section 5: a proof for the token endpoint. */
const RFC_TOKEN_PROOF = 'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'

t.test('the proofs of RFC 9449 elsewhere: another method, host, token, time, once more, and the one for the token endpoint', async (t) => {
  const clocks = clocksFor(t)
  clocks.jump(1562262618 - Date.now() / 1000)
  const [jkt, token, url] = ['0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU', 'https://resource.example.org/protectedresource']
  const verifier = verifierFor()
  const reason = async (presentation: object, of = token): Promise<string> => {
    try {
      await verifier.check(jkt, of, { method: 'GET', url, proofs: [RFC_PROOF], ...presentation })
      return 'good'
    } catch (error) {
      return (error as KeycloakError).reasonCode
    }
  }
  t.equal(await reason({ method: 'POST' }), 'proof_htm')
  t.equal(await reason({ url: 'https://resource.example.com/protectedresource' }), 'proof_htu')
  t.equal(await reason({}, `${token}x`), 'proof_ath')
  t.equal(await reason({ method: 'POST', url: 'https://server.example.com/token', proofs: [RFC_TOKEN_PROOF] }), 'proof_claims', 'it has no ath')
  t.equal(await reason({}), 'good')
  t.equal(await reason({}), 'proof_replayed')
  clocks.advance(60)
  t.equal(await reason({}), 'proof_old')
})

t.test('the thumbprint of RFC 8037 appendix A.3, of a key of Ed25519', async (t) => {
  t.equal(proofJwk({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }, 'EdDSA')?.thumbprint, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

t.test('the thumbprint of RFC 7638 section 3.1', async (t) => {
  const n = '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  t.equal(proofJwk({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }, 'RS256')?.thumbprint, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})

for (const pool of [undefined, new SignaturePool()]) {
  t.test(`every algorithm of the option verifies, and no other${pool ? ', in the thread pool' : ''}`, async (t) => {
    const realm = await createTestRealm()
    t.teardown(() => realm.close())
    for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'] as const) {
      const client = realm.dpop({ algorithm })
      const verifier = verifierFor({}, pool)
      for (let times = 0; times < 2; times++) t.equal(await verdict(verifier, [await client.proof({ url: URL_OF, token: TOKEN })], client.jkt), 'good', algorithm)
      const others = verifierFor({ algorithms: algorithm === 'ES256' ? 'ES384' : 'ES256' })
      t.equal(await verdict(others, [await client.proof({ url: URL_OF, token: TOKEN })], client.jkt), 'proof_alg', algorithm)
      const [header, payload, signature] = (await client.proof({ url: URL_OF, token: TOKEN })).split('.') as [string, string, string]
      t.equal(await verdict(verifier, [`${header}.${payload}.${signature.slice(4)}`], client.jkt), 'proof_signature', algorithm)
    }
  })
}

const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
const now = (): number => Date.now() / 1000

const WRONG: ReadonlyArray<readonly [name: string, proof: () => string | string[], reason: string]> = [
  ['none', () => [], 'proof_missing'],
  ['two', () => [proof(), proof()], 'proof_repeated'],
  ['two in one', () => `${proof()}, ${proof()}`, 'proof_malformed'],
  ['too long', () => 'x'.repeat(8193), 'proof_too_long'],
  ['two segments', () => 'x.y', 'proof_malformed'],
  ['no base64url', () => `${proof()}=`, 'proof_malformed'],
  ['a header that is no JSON', () => `eA.${proof().split('.').slice(1).join('.')}`, 'proof_malformed'],
  ['a payload that is no object', () => { const [header, , signature] = proof().split('.'); return `${header}.W10.${signature}` }, 'proof_malformed'],
  ['a header that is not UTF-8', () => notUtf8('marked-', 0), 'proof_malformed'],
  ['a payload that is not UTF-8', () => notUtf8('marked-', 1), 'proof_malformed'],
  ['typ in another case', () => proof({ header: { typ: 'DPoP+JWT' } }), 'proof_typ'],
  ['crit', () => proof({ header: { crit: ['b64'] } }), 'proof_crit'],
  ['alg none', () => proof({ header: { alg: 'none' } }), 'proof_alg'],
  ['alg is no text', () => proof({ header: { alg: 5 } }), 'proof_alg'],
  ['no jwk', () => proof({ header: { jwk: undefined } }), 'proof_jwk'],
  ['jwk is no object', () => proof({ header: { jwk: 'x' } }), 'proof_jwk'],
  ['a private key', () => proof({ header: { jwk: { ...key.jwk, d: 'AA' } } }), 'proof_jwk'],
  ['a key of another type', () => proof({ header: { alg: 'EdDSA' } }), 'proof_jwk'],
  ['a symmetric key', () => proof({ header: { jwk: { kty: 'oct', k: 'AA' } } }), 'proof_jwk'],
  ['a key type of Object.prototype', () => proof({ header: { jwk: { ...key.jwk, kty: 'constructor' } } }), 'proof_jwk'],
  ['a key without y', () => proof({ header: { jwk: { ...key.jwk, y: undefined } } }), 'proof_jwk'],
  ['a member that is no base64url', () => proof({ header: { jwk: { ...key.jwk, y: '"' } } }), 'proof_jwk'],
  ['another key', () => proof({ header: { jwk: proofKey().jwk } }), 'dpop_key_other'],
  ['no jti', () => proof({ payload: { jti: undefined } }), 'proof_jti'],
  ['an empty jti', () => proof({ payload: { jti: '' } }), 'proof_jti'],
  ['jti of 129 characters', () => proof({ payload: { jti: 'x'.repeat(129) } }), 'proof_jti'],
  ['jti is a number', () => proof({ payload: { jti: 5 } }), 'proof_jti'],
  ...['htm', 'htu', 'iat', 'ath'].flatMap((name) => [undefined, null, [], {}, name === 'iat' ? '5' : 5].map((value) => [`${name} is ${JSON.stringify(value)}`, () => proof({ payload: { [name]: value } }), 'proof_claims'] as const)),
  ['another method', () => proof({ payload: { htm: 'POST' } }), 'proof_htm'],
  ['the method in lower case', () => proof({ payload: { htm: 'get' } }), 'proof_htm'],
  ['another URL', () => proof({ payload: { htu: `${URL_OF}/` } }), 'proof_htu'],
  ['no URL', () => proof({ payload: { htu: '/x' } }), 'proof_htu'],
  ['old', () => proof({ payload: { iat: now() - 36 } }), 'proof_old'],
  ['of tomorrow', () => proof({ payload: { iat: now() + 6 } }), 'proof_early'],
  ['for another token', () => proof({ token: 'other' }), 'proof_ath'],
  ['a changed signature', () => proof({ key: proofKey().privateKey }), 'proof_signature'],
  ['no signature', () => proof().replace(/[^.]*$/, ''), 'proof_signature'],
  ['a signature that is not canonical', () => proof().slice(0, -1) + '=', 'proof_malformed']
]

for (const [name, made, reason, pool] of WRONG.flatMap((each) => [[...each, undefined], [...each, new SignaturePool()]] as const)) {
  t.test(`a proof that is wrong, by a new client and by a known one${pool ? ', in the thread pool' : ''}: ${name}`, async (t) => {
    const verifier = verifierFor({}, pool)
    t.equal(await verdict(verifier, [made()].flat()), reason)
    t.equal(await verdict(verifier, [proof()]), 'good')
    t.equal(await verdict(verifier, [made()].flat()), reason)
  })
}

t.test('within its time a proof is good, fractions and jti of 128 characters too', async (t) => {
  const verifier = verifierFor()
  for (const payload of [{ iat: now() - 34 }, { iat: now() + 4 }, { iat: Math.floor(now()) + 0.5 }, { jti: 'x'.repeat(128) }, { htu: 'HTTPS://API.example.com:443/x?y#z' }]) {
    t.equal(await verdict(verifier, [proof({ payload })]), 'good', JSON.stringify(payload))
  }
})

t.test('a key that is weak is none, though the token is bound to it; and a known client has one key', async (t) => {
  const jkt = proofJwk(small, 'RS256')!.thumbprint
  t.equal(await verdict(verifierFor(), [proof({ header: { alg: 'RS256', jwk: small } })], jkt), 'proof_jwk')
  const verifier = verifierFor()
  t.equal(await verdict(verifier, [proof()]), 'good')
  t.equal(await verdict(verifier, [proof()], proofKey().jkt), 'dpop_key_other')
})

t.test('a key of RSA whose exponent makes each check a burden is none', async (t) => {
  const { n } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  for (const [e, reason] of [['AQAAAAE', 'proof_jwk'], ['_____w', 'proof_signature'], ['AQAB', 'proof_signature']]) {
    const jwk = { kty: 'RSA', n, e }
    t.equal(await verdict(verifierFor(), [proof({ header: { alg: 'RS256', jwk } })], proofJwk(jwk, 'RS256')!.thumbprint), reason, e)
  }
})

t.test('a key of Ed25519 of small order, for which anybody can sign, is none', async (t) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
  t.equal(await verdict(verifierFor(), [proof({ header: { alg: 'EdDSA', jwk } })], proofJwk(jwk, 'EdDSA')!.thumbprint), 'proof_jwk')
})

t.test('a proof is remembered until an instance with a clock that is behind could not take it any more', async (t) => {
  const stop = Math.floor(Date.now() / 1000)
  t.intercept(Date, 'now', { value: () => stop * 1000 })
  const asked: number[] = []
  const verifier = verifierFor({ maxAge: 30, leeway: 5, replay: { store: { add: (_key, milliseconds) => { asked.push(milliseconds); return true } } } })
  for (const iat of [stop - 35, stop, stop + 5]) t.equal(await verdict(verifier, [proof({ payload: { iat } })]), 'good')
  t.same(asked, [10_001, 45_001, 50_001])
  const strict = verifierFor({ maxAge: 30, leeway: 0, replay: { store: { add: (_key, milliseconds) => { asked.push(milliseconds); return true } } } })
  t.equal(await verdict(strict, [proof({ payload: { iat: stop - 30 } })]), 'good')
  t.equal(asked[3], 1, 'Redis takes no key that ends at once')
})

t.test('the header of a known client is kept, but for one that is very long', async (t) => {
  const verifier = verifierFor()
  const header = { more: 'x'.repeat(3000) }
  for (let times = 0; times < 2; times++) t.equal(await verdict(verifier, [proof({ header })]), 'good')
})

async function nonceOf (verifier: DpopVerifier, nonce?: string): Promise<unknown> {
  try {
    return await verifier.check(key.jkt, TOKEN, { method: 'GET', url: URL_OF, proofs: [proof({ ...nonce !== undefined && { nonce } })] })
  } catch (error) {
    return (error as KeycloakError)
  }
}

t.test('nonces: that of the window and of the last one are good, on each instance with the secret', async (t: Test) => {
  const clocks = clocksFor(t)
  const secret = 's'.repeat(32)
  const [verifier, other, rotated] = [secret, secret, ['n'.repeat(32), secret]].map((secret) => verifierFor({ nonce: { secret, maxAge: 60 } })) as [DpopVerifier, DpopVerifier, DpopVerifier]
  clocks.jump(60 - (Date.now() / 1000) % 60 + 1)
  t.match(await nonceOf(verifier), { code: 'dpop_nonce_required', reasonCode: 'proof_nonce_missing', dpopNonce: /^[\w-]{24}$/ })
  const { dpopNonce } = await nonceOf(other) as { dpopNonce: string }
  t.match(await nonceOf(verifier, 'x'), { code: 'dpop_nonce_required', reasonCode: 'proof_nonce_old', dpopNonce })
  for (const each of [verifier, other]) t.equal(await nonceOf(each, dpopNonce), undefined)
  const due = await nonceOf(rotated, dpopNonce)
  t.match(due, /^[\w-]{24}$/, 'the first secret makes nonces')
  clocks.advance(60)
  const next = await nonceOf(verifier, dpopNonce)
  t.match(next, /^[\w-]{24}$/, 'a new one comes along')
  t.equal(await nonceOf(other, next as string), undefined)
  clocks.advance(60)
  t.match(await nonceOf(verifier, dpopNonce), { reasonCode: 'proof_nonce_old' })
  clocks.advance(600)
  t.match(await nonceOf(verifier, next as string), { reasonCode: 'proof_nonce_old' })
})
