import type { AccessTokenClaims } from '../../types/user.js'
import { type KeycloakError, notValid, refusal } from '../errors.js'
import { problemOf, type Reason, reasonFor } from '../reasons/reason.js'
import { kindOf } from '../util/kind-of.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { confirmationFault, type ConfirmationFault, type ConfirmationMethods } from './confirmation.js'
import type { Restrictions } from './restrictions.js'

/** The expected values of claims. No member may be left out, because a polluted `Object.prototype` would lend it. */
export interface ExpectedClaims {
  issuer: string
  /** `null`: unchecked. */
  audience: ReadonlySet<string> | null
  /** Seconds. */
  leeway: number
  /** May a token have no `aud`? A lightweight token has none before introspection. */
  audienceOptional: boolean
  /** Further checks that options ask for. */
  restrictions: Restrictions | undefined
  /** The ways in which bound tokens are checked. */
  confirmation: ConfirmationMethods
  /** Makes the reasons; `undefined`: they name the problem alone. */
  explain: ExplainClaims | undefined
}

/** The faults of claims whose reason is explained by the claims themselves. */
export type ClaimFault =
  | 'iat_missing' | 'iat_future' | 'nbf_future' | 'exp_missing' | 'iss_mismatch'
  | 'aud_missing' | 'aud_malformed' | 'aud_mismatch' | 'typ_mismatch' | ConfirmationFault

/** Makes the reason of a fault with its values, when somebody reads it. */
export type ExplainClaims = (fault: ClaimFault, claims: JsonObject) => Reason

type Check = (claims: JsonObject, expected: ExpectedClaims, now: number) => void

const DATES: readonly Check[] = [issuedAt, notBefore, expiration]

/** The checks of issuer and audience, for logout tokens too. */
const PARTIES: readonly Check[] = [issuer, audience]

/**
 * All checks by name, in the order that users rely on: dates first, so that an expired token of a wrong issuer is
 * `token_expired`. Then the type, because a token of another type, such as an ID token, has another audience too.
 */
export const CLAIM_CHECKS = {
  iat: issuedAt, nbf: notBefore, exp: expiration, typ: type, iss: issuer, aud: audience, restrictions, cnf: confirmation, identifiers
} as const satisfies Readonly<Record<string, Check>>

const CHECKS: readonly Check[] = Object.values(CLAIM_CHECKS)

/**
 * Check the claims of a token whose signature is good (RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725 section 3).
 * @param now seconds since 1970
 * @throws {KeycloakError} token_expired, token_not_valid
 */
export function checkClaims (claims: JsonObject, expected: ExpectedClaims, now: number): AccessTokenClaims {
  for (const check of CHECKS) check(claims, expected, now)
  return claims as AccessTokenClaims
}

/** Check only issuer and audience, for a token that is not an access token. */
export function checkParties (claims: JsonObject, expected: ExpectedClaims): void {
  for (const check of PARTIES) check(claims, expected, NaN)
}

/** Check only the dates and the age, for claims that have passed all checks before. */
export function checkDates (claims: AccessTokenClaims, expected: ExpectedClaims, now: number): void {
  for (const check of DATES) check(claims, expected, now)
  expected.restrictions?.checkAge(claims, now)
}

/**
 * The time in which checked claims pass {@link checkDates}, in seconds since 1970: `from` is included, `until` is not. It
 * is computed once, and then compared at each request.
 */
export function validity (claims: AccessTokenClaims, { leeway, restrictions }: Pick<ExpectedClaims, 'leeway' | 'restrictions'>): { from: number, until: number } {
  const { iat } = claims
  const exp = restrictions === undefined ? claims.exp : Math.min(claims.exp, iat + restrictions.maxTokenAge)
  return { from: Math.max(iat, date(claims, 'nbf') ?? iat) - leeway, until: exp + leeway }
}

function issuedAt (claims: JsonObject, expected: ExpectedClaims, now: number): void {
  const iat = date(claims, 'iat')
  if (iat === undefined) throw fault('iat_missing', claims, expected)
  if (iat > now + expected.leeway) throw fault('iat_future', claims, expected)
}

function notBefore (claims: JsonObject, expected: ExpectedClaims, now: number): void {
  const nbf = date(claims, 'nbf')
  if (nbf !== undefined && nbf > now + expected.leeway) throw fault('nbf_future', claims, expected)
}

function expiration (claims: JsonObject, expected: ExpectedClaims, now: number): void {
  const exp = date(claims, 'exp')
  if (exp === undefined) throw fault('exp_missing', claims, expected)
  if (exp + expected.leeway <= now) throw refusal('token_expired', 'exp_passed')
}

function issuer (claims: JsonObject, expected: ExpectedClaims): void {
  if (member(claims, 'iss') !== expected.issuer) throw fault('iss_mismatch', claims, expected)
}

function audience (claims: JsonObject, expected: ExpectedClaims): void {
  const aud = member(claims, 'aud')
  if (aud === undefined) {
    if (expected.audienceOptional || expected.audience === null) return
    throw fault('aud_missing', claims, expected)
  }
  const audiences: unknown = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audiences)) throw fault('aud_malformed', claims, expected)
  let named = expected.audience === null
  for (const each of audiences) {
    if (typeof each !== 'string') throw fault('aud_malformed', claims, expected)
    if (expected.audience?.has(each) === true) named = true
  }
  if (!named) throw fault('aud_mismatch', claims, expected)
}

/** ID, refresh, offline, logout and action tokens are signed by the same key, so only `typ` distinguishes them. */
function type (claims: JsonObject, expected: ExpectedClaims): void {
  const typ = member(claims, 'typ')
  if (typ !== undefined && typ !== 'Bearer' && !(typ === 'DPoP' && expected.confirmation.dpop)) throw fault('typ_mismatch', claims, expected)
}

function restrictions (claims: JsonObject, expected: ExpectedClaims, now: number): void {
  expected.restrictions?.check(claims, now)
}

/** A sender-constrained token (RFC 7800, RFC 9449, RFC 8705) says that presenting it alone is not enough: each request is checked for its key. */
function confirmation (claims: JsonObject, expected: ExpectedClaims): void {
  const found = confirmationFault(claims, expected.confirmation)
  if (found !== undefined) throw fault(found, claims, expected)
}

function fault (name: ClaimFault, claims: JsonObject, { explain }: ExpectedClaims): KeycloakError {
  return notValid(() => explain === undefined ? problemOf(name) : explain(name, claims))
}

function identifiers (claims: JsonObject): void {
  for (const name of ['sub', 'jti']) {
    const value = member(claims, name)
    if (value !== undefined && typeof value !== 'string') throw notValid(reasonFor('claim_not_string', { claim: name, kind: kindOf(value) }))
  }
}

/**
 * A NumericDate, in seconds since 1970 (RFC 7519 section 2). It is a finite number: JSON.parse makes Infinity of 1e999.
 * @throws {KeycloakError} token_not_valid
 */
export function date (claims: JsonObject, name: string): number | undefined {
  const value = member(claims, name)
  if (value === undefined) return undefined
  if (!Number.isFinite(value)) throw notValid(reasonFor('date_not_number', { claim: name }))
  return value as number
}
