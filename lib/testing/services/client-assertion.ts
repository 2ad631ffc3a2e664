import { createPublicKey, KeyObject, type JsonWebKey } from 'node:crypto'
import type { Algorithm } from '../../../types/options.js'
import { BoundedMap } from '../../util/bounded-map.js'
import { wallSeconds } from '../../util/clock.js'
import { ALGORITHMS, decode, familyOf, type Claims, type DecodedJws } from '../jws.js'
import { OAuthError } from '../login/reply.js'
import { wrong } from './check-rules.js'
import type { ServiceClient } from './rules.js'

/** The value of `client_assertion_type` (RFC 7523 section 2.2). */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Seconds that Keycloak grants to clocks, and to assertions since their `iat`. */
const SKEW = 15
const MAX_AGE = 300

const MAX_IDS = 10_000

/** A public key of a client. */
export interface ClientKey {
  readonly key: KeyObject
  /** Undefined if the key has no id: it verifies assertions of any `kid`. */
  readonly kid: unknown
  readonly alg: unknown
  readonly family: unknown
}

/** @throws {TypeError} for a key that is none; the message does not show it */
export function clientKeys (id: string, keys: NonNullable<ServiceClient['keys']>): ClientKey[] {
  return keys.map((key, index) => {
    try {
      const { kid, alg } = typeof key === 'string' || key instanceof KeyObject ? {} as JsonWebKey : key
      const parsed = publicKey(key)
      return { key: parsed, kid, alg, family: parsed.export({ format: 'jwk' }).crv ?? 'RSA' }
    } catch {
      throw wrong(`clients.${id}.keys[${index}] must be a public key, as PEM, JWK or KeyObject`)
    }
  })
}

function publicKey (key: string | JsonWebKey | KeyObject): KeyObject {
  if (key instanceof KeyObject) return key.type === 'public' ? key : createPublicKey(key)
  return createPublicKey(typeof key === 'string' ? key : { key, format: 'jwk' })
}

/** Client assertions (`private_key_jwt`), each of which is accepted once. */
export class Assertions {
  readonly #issuer: string
  readonly #used = new BoundedMap<string, true>(MAX_IDS)

  constructor (issuer: string) {
    this.#issuer = issuer
  }

  /** @throws {OAuthError} in Keycloak's words */
  check (clientId: string, keys: readonly ClientKey[], form: URLSearchParams): void {
    if (!form.has('client_assertion_type')) throw refusal('Parameter client_assertion_type is missing')
    const jws = decode(form.get('client_assertion') ?? '')
    if (jws?.payload.iss !== clientId || jws.payload.sub !== clientId) throw refusal('Invalid client or Invalid client credentials', 401)
    checkSignature(jws, keys)
    checkAudience(jws.payload, this.#issuer)
    checkDates(jws.payload)
    const { jti } = jws.payload
    if (typeof jti !== 'string' || jti === '') throw refusal('Token jti claim is required')
    const used = JSON.stringify([clientId, jti])
    if (this.#used.has(used)) throw refusal('Token reuse detected')
    this.#used.set(used, true)
  }
}

function checkSignature (jws: DecodedJws, keys: readonly ClientKey[]): void {
  const { alg, kid } = jws.header
  if (!ALGORITHMS.includes(alg as Algorithm)) throw refusal('Invalid signature algorithm')
  const candidates = keys.filter((key) => kid === undefined || key.kid === undefined || key.kid === kid)
  if (candidates.length === 0) throw refusal('Unable to load public key')
  const family = familyOf(alg as Algorithm)
  const isSigned = candidates.some((each) => each.family === family && (each.alg ?? alg) === alg && jws.isSignedBy(alg as Algorithm, each.key))
  if (!isSigned) throw refusal('Client authentication with signed JWT failed: Signature on JWT token failed validation')
}

/** Keycloak accepts its issuer, its token endpoint and its introspection endpoint, one of them only. */
function checkAudience ({ aud }: Claims, issuer: string): void {
  const audience = [aud].flat()
  const endpoint = `${issuer}/protocol/openid-connect/token`
  if (audience.length > 1) throw refusal('Multiple audiences not allowed')
  if (![issuer, endpoint, `${endpoint}/introspect`].includes(String(audience[0]))) throw refusal('Invalid token audience')
}

function checkDates ({ exp, nbf, iat }: Claims): void {
  const now = wallSeconds()
  if (typeof exp !== 'number') throw refusal('Token exp claim is required')
  if (exp <= now || (typeof nbf === 'number' && nbf > now)) throw refusal('Token is not active')
  if (typeof iat !== 'number') return
  if (iat > now + SKEW) throw refusal('Token was issued in the future')
  if (iat < now - MAX_AGE - SKEW) throw refusal('Token was issued too far in the past to be used now')
}

function refusal (description: string, status = 400): OAuthError {
  return new OAuthError('invalid_client', description, status)
}
