import type { AccessTokenClaims } from '../../types/user.js'
import { type KeycloakError, notValid, refusal } from '../errors.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { kindOf } from '../util/kind-of.js'

/** What claims are held against, and the moment of it. */
export interface ExpectedClaims {
  issuer: string
  /** `null`: unchecked. */
  audience: ReadonlySet<string> | null
  /** Seconds. */
  leeway: number
  /** May a token have no `aud`? A lightweight one has none before introspection gives it back. */
  audienceOptional?: boolean
  /** Says more of a fault than its sentence. */
  explain?: ExplainClaims
}

/** What can be wrong with claims, in sentences that name no value. */
const FAULTS = {
  iat_missing: 'iat is missing',
  iat_future: 'iat is in the future',
  nbf_future: 'nbf is in the future',
  exp_missing: 'exp is missing',
  iss: 'iss is not the issuer',
  aud_missing: 'aud is neither a string nor an array of strings',
  aud_malformed: 'aud is neither a string nor an array of strings',
  aud_other: 'aud names none of the audience',
  typ: 'typ is not Bearer',
  cnf: 'the token is sender-constrained (cnf)'
}

export type ClaimFault = keyof typeof FAULTS

/** Makes a longer sentence of a fault's, when somebody reads it. */
export type ExplainClaims = (fault: ClaimFault, sentence: string, claims: JsonObject) => string

type Check = (claims: JsonObject, expected: ExpectedClaims, now: number) => void

const DATES: readonly Check[] = [issuedAt, notBefore, expiration]

/** Who issued a token of the realm and whom it is for, a logout token too. */
const PARTIES: readonly Check[] = [issuer, audience]

/**
 * In the order of the contract: dates first, so that an expired token of a wrong issuer is expired. Then what kind of
 * token it is, which explains an audience that is another.
 */
const CHECKS: readonly Check[] = [...DATES, type, ...PARTIES, confirmation, identifiers]

/**
 * Check the claims of a token whose signature is good (RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725 section 3).
 * @param now seconds since 1970
 * @throws {KeycloakError} token_expired, token_not_valid
 */
export function checkClaims (claims: JsonObject, expected: ExpectedClaims, now: number): AccessTokenClaims {
  for (const check of CHECKS) check(claims, expected, now)
  return claims as AccessTokenClaims
}

/** Issuer and audience alone, for a token that is no access token. */
export function checkParties (claims: JsonObject, expected: ExpectedClaims): void {
  for (const check of PARTIES) check(claims, expected, NaN)
}

/** The checks that time alone can change, for claims that have passed all of them before. */
export function checkDates (claims: AccessTokenClaims, expected: ExpectedClaims, now: number): void {
  for (const check of DATES) check(claims, expected, now)
}

/**
 * When the dates of checked claims are good, in seconds since 1970: from the first on, and before the other. What
 * {@link checkDates} says at any moment, for whoever asks often.
 */
export function validity (claims: AccessTokenClaims, { leeway }: Pick<ExpectedClaims, 'leeway'>): { from: number, until: number } {
  const { iat, exp } = claims
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
  if (exp + expected.leeway <= now) throw refusal('token_expired', 'exp has passed')
}

function issuer (claims: JsonObject, expected: ExpectedClaims): void {
  if (member(claims, 'iss') !== expected.issuer) throw fault('iss', claims, expected)
}

function audience (claims: JsonObject, expected: ExpectedClaims): void {
  const aud = member(claims, 'aud')
  if (aud === undefined) {
    if (expected.audienceOptional === true || expected.audience === null) return
    throw fault('aud_missing', claims, expected)
  }
  const audiences: unknown = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audiences)) throw fault('aud_malformed', claims, expected)
  let named = expected.audience === null
  for (const each of audiences) {
    if (typeof each !== 'string') throw fault('aud_malformed', claims, expected)
    if (expected.audience?.has(each) === true) named = true
  }
  if (!named) throw fault('aud_other', claims, expected)
}

/** ID, refresh, offline, logout and action tokens are signed by the same key: only `typ` tells them apart. */
function type (claims: JsonObject, expected: ExpectedClaims): void {
  const typ = member(claims, 'typ')
  if (typ !== undefined && typ !== 'Bearer') throw fault('typ', claims, expected)
}

/** A sender-constrained token (RFC 7800, RFC 9449, RFC 8705) says that presenting it alone is not enough. */
function confirmation (claims: JsonObject, expected: ExpectedClaims): void {
  if (Object.hasOwn(claims, 'cnf')) throw fault('cnf', claims, expected)
}

function fault (name: ClaimFault, claims: JsonObject, { explain }: ExpectedClaims): KeycloakError {
  const sentence = FAULTS[name]
  return notValid(explain === undefined ? sentence : () => explain(name, sentence, claims))
}

function identifiers (claims: JsonObject): void {
  for (const name of ['sub', 'jti']) {
    const value = member(claims, name)
    if (value !== undefined && typeof value !== 'string') throw notValid(`${name} is ${kindOf(value)}, not a string`)
  }
}

/** A NumericDate is a JSON number; JSON.parse makes Infinity of 1e999 (RFC 7519 section 2). */
export function date (claims: JsonObject, name: string): number | undefined {
  const value = member(claims, name)
  if (value === undefined) return undefined
  if (!Number.isFinite(value)) throw notValid(`${name} is not a finite number`)
  return value as number
}
