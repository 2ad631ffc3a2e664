// What forges, bends and mis-encodes tokens, for the attack corpus, the vectors and the fuzz. The keys are those that the
// test realm signs with by default: an attacker never has them, a vector that must be well signed but wrong needs them.
import { constants, createHmac, createPrivateKey, createPublicKey, type BinaryLike, type KeyObject, sign, type SigningOptions } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { FIXED_KEYS, type KeyFamily, STRANGER } from '../../lib/testing/fixed-keys.js'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import type { Algorithm } from '../../types/options.js'
import { ask } from './app.js'

export const NOT_VALID = '401 token_not_valid'
export const BAD_HEADER = '401 bad_authorization_header'

export const ALGORITHMS: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** The bytes of a signature over the first two parts of a JWS. */
export type Sign = (input: string) => Buffer

export type Json = Record<string, any>

/** A name, a token and, where it is not {@link refusal}, the answer it must get. */
export type Case = [name: string, token: string, answer?: string]

/** Base64url of text or bytes as they are, of anything else as JSON. */
export function encode (value: unknown): string {
  return Buffer.from(typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)).toString('base64url')
}

export function decode (part: string): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

/** A compact JWS; text and bytes are encoded as they are, however malformed. */
export function compact (header: unknown, payload: unknown, sign: Sign): string {
  return sealed(`${encode(header)}.${encode(payload)}`, sign)
}

/** A signature put behind any text at all. */
export function sealed (input: string, sign: Sign): string {
  return `${input}.${sign(input).toString('base64url')}`
}

export interface Parts {
  header: Json
  claims: Json
  /** The three parts as they stand in the token. */
  raw: [header: string, payload: string, signature: string]
}

/** A token of the realm, taken apart. */
export function parts (realm: TestRealm, spec: TokenSpec = {}): Parts {
  const raw = realm.token(spec).split('.') as Parts['raw']
  return { header: decode(raw[0]), claims: decode(raw[1]), raw }
}

const FAMILIES: Readonly<Record<string, KeyFamily>> = {
  RS: 'RSA', PS: 'RSA', ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519'
}

/** The realm's private key for an algorithm. */
export function realmsKey (alg: Algorithm): KeyObject {
  const family = FAMILIES[alg] ?? FAMILIES[alg.slice(0, 2)]
  return createPrivateKey({ key: FIXED_KEYS[family][0], format: 'jwk' })
}

/** A private key that no realm has. */
export function strangersKey (): KeyObject {
  return createPrivateKey({ key: STRANGER, format: 'jwk' })
}

const OPTIONS: Readonly<Record<string, SigningOptions>> = {
  RS: { padding: constants.RSA_PKCS1_PADDING },
  PS: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  ES: { dsaEncoding: 'ieee-p1363' },
  Ed: {}
}

/** A signature of an algorithm by the realm's key or another, with other options where they matter. */
export function by (alg: Algorithm, key: KeyObject = realmsKey(alg), options: SigningOptions = {}): Sign {
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
  return (input) => sign(hash, Buffer.from(input), { key, ...OPTIONS[alg.slice(0, 2)], ...options })
}

export function hmac (alg: string, secret: BinaryLike): Sign {
  return (input) => createHmac(`sha${alg.slice(2)}`, secret).update(input).digest()
}

/** No signature of anything: these bytes. */
export function bytes (signature: Uint8Array): Sign {
  return () => Buffer.from(signature)
}

export function publicJwk (key: KeyObject): Json {
  return createPublicKey(key).export({ format: 'jwk' })
}

/** From now on the realm's key set holds these entries and no others. */
export function publish (realm: TestRealm, keys: unknown): void {
  realm.respond('certs', (_request, response) => { response.end(JSON.stringify({ keys })) })
}

/** Ask with each token of a table, on a route that wants one. */
export async function check (t: Test, app: FastifyInstance, cases: Iterable<Case>): Promise<void> {
  for (const [name, token, answer = refusal(token)] of cases) t.equal(await ask(app, '/me', token), answer, name)
}

/**
 * Ask with each token of a table before the realm's keys are had, where what is malformed is refused without asking for
 * any, and again with the keys at hand: two ways through the plugin. Cases with an answer come the second time alone.
 */
export async function checkBothWays (t: Test, app: FastifyInstance, realm: TestRealm, cases: readonly Case[]): Promise<void> {
  await check(t, app, cases.filter(([, , answer]) => answer === undefined))
  t.equal(realm.requests.certs, 0)
  t.equal(await ask(app, '/me', realm.token()), '200')
  await check(t, app, cases.map(([name, ...rest]) => [`${name}, with the keys at hand`, ...rest]))
}

/** What a bad token gets: with white space inside, it is the header that is wrong. */
export function refusal (token: string): string {
  return /^ *[^ \t]+ *$/.test(token) ? NOT_VALID : BAD_HEADER
}

export function flipped (bytes: Uint8Array, at: number, mask = 1): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at]! ^= mask
  return copy
}

/** Big-endian, in so many bytes. */
export function integer (value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
}
