import type { AccessTokenClaims } from '../types/user.js'
import { notValid, refusal } from './errors.js'
import { type JsonObject, member } from './json.js'

/** What claims are held against, and the moment of it. */
export interface Expectations {
  issuer: string
  /** `null`: unchecked. */
  audience: ReadonlySet<string> | null
  /** Seconds. */
  leeway: number
}

/** How much a token may leave to introspection: a lightweight one has no `aud`. */
export interface Completeness {
  lightweight: boolean
}

/** Nothing is left to introspection. */
export const WHOLE: Completeness = { lightweight: false }

type Check = (claims: JsonObject, expected: Expectations, now: number, completeness: Completeness) => void

const DATES: readonly Check[] = [issuedAt, notBefore, expiration]

/** Who issued a token of the realm and whom it is for, a logout token too. */
const PARTIES: readonly Check[] = [issuer, audience]

/** In the order of the contract: dates first, so that an expired token of a wrong issuer is expired. */
const CHECKS: readonly Check[] = [...DATES, ...PARTIES, type, confirmation, identifiers]

/**
 * Check the claims of a token whose signature is good (RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725 section 3).
 * @param now seconds since 1970
 * @throws {KeycloakError} token_expired, token_not_valid
 */
export function checkClaims (claims: JsonObject, expected: Expectations, now: number, completeness: Completeness): AccessTokenClaims {
  for (const check of CHECKS) check(claims, expected, now, completeness)
  return claims as AccessTokenClaims
}

/** Issuer and audience alone, for a token that is no access token. */
export function checkParties (claims: JsonObject, expected: Expectations): void {
  for (const check of PARTIES) check(claims, expected, NaN, WHOLE)
}

/** The checks that time alone can change, for claims that have passed all of them before. */
export function checkDates (claims: AccessTokenClaims, expected: Expectations, now: number): void {
  for (const check of DATES) check(claims, expected, now, WHOLE)
}

/**
 * When the dates of checked claims are good, in seconds since 1970: from the first on, and before the other. What
 * {@link checkDates} says at any moment, for whoever asks often.
 */
export function validity (claims: AccessTokenClaims, { leeway }: Pick<Expectations, 'leeway'>): { from: number, until: number } {
  const { iat, exp } = claims
  return { from: Math.max(iat, date(claims, 'nbf') ?? iat) - leeway, until: exp + leeway }
}

function issuedAt (claims: JsonObject, { leeway }: Expectations, now: number): void {
  const iat = date(claims, 'iat')
  if (iat === undefined) throw notValid('iat is missing')
  if (iat > now + leeway) throw notValid('iat is in the future')
}

function notBefore (claims: JsonObject, { leeway }: Expectations, now: number): void {
  const nbf = date(claims, 'nbf')
  if (nbf !== undefined && nbf > now + leeway) throw notValid('nbf is in the future')
}

function expiration (claims: JsonObject, { leeway }: Expectations, now: number): void {
  const exp = date(claims, 'exp')
  if (exp === undefined) throw notValid('exp is missing')
  if (exp + leeway <= now) throw refusal('token_expired', 'exp has passed')
}

function issuer (claims: JsonObject, expected: Expectations): void {
  if (member(claims, 'iss') !== expected.issuer) throw notValid('iss is not the issuer')
}

function audience (claims: JsonObject, expected: Expectations, _now: number, { lightweight }: Completeness): void {
  const aud = member(claims, 'aud')
  if (aud === undefined && (lightweight || expected.audience === null)) return
  const audiences: unknown = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audiences)) throw notValid('aud is neither a string nor an array of strings')
  let named = expected.audience === null
  for (const each of audiences) {
    if (typeof each !== 'string') throw notValid('aud is neither a string nor an array of strings')
    if (expected.audience?.has(each) === true) named = true
  }
  if (!named) throw notValid('aud names none of the audience')
}

/** ID, refresh, offline, logout and action tokens are signed by the same key: only `typ` tells them apart. */
function type (claims: JsonObject): void {
  const typ = member(claims, 'typ')
  if (typ !== undefined && typ !== 'Bearer') throw notValid('typ is not Bearer')
}

/** A sender-constrained token (RFC 7800, RFC 9449, RFC 8705) says that presenting it alone is not enough. */
function confirmation (claims: JsonObject): void {
  if (Object.hasOwn(claims, 'cnf')) throw notValid('the token is sender-constrained (cnf)')
}

function identifiers (claims: JsonObject): void {
  for (const name of ['sub', 'jti']) {
    const value = member(claims, name)
    if (value !== undefined && typeof value !== 'string') throw notValid(`${name} is not a string`)
  }
}

/** A NumericDate is a JSON number; JSON.parse makes Infinity of 1e999 (RFC 7519 section 2). */
export function date (claims: JsonObject, name: string): number | undefined {
  const value = member(claims, name)
  if (value === undefined) return undefined
  if (!Number.isFinite(value)) throw notValid(`${name} is not a finite number`)
  return value as number
}
