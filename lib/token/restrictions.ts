import { notValid } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'
import { kindOf } from '../util/kind-of.js'
import { listed, shown } from '../util/shown.js'
import { type JsonObject, member } from '../util/strict-json.js'

/** The options that restrict which access tokens of the realm are accepted. */
export interface RestrictionOptions {
  authorizedParties?: readonly string[] | undefined
  /** Seconds. */
  maxTokenAge?: number | undefined
  tokenType?: 'at+jwt' | undefined
  /** Seconds. */
  leeway: number
  /** Without a check of signatures a reason shows no value of the token: anybody can have written it. */
  verifySignature: boolean
}

/** Checks of claims whose dates, issuer and audience are good. They throw a KeycloakError: token_not_valid. */
export interface Restrictions {
  /** Seconds since `iat`; infinite if the age is not restricted. */
  readonly maxTokenAge: number
  /** @param now seconds since 1970 */
  check (claims: JsonObject, now: number): void
  /** Check only the age, which changes while a token is kept. */
  checkAge (claims: JsonObject, now: number): void
}

/** The claims of RFC 9068 section 2.2 beyond those that each token must have. */
const REQUIRED = ['aud', 'sub', 'jti'] as const

/** Those that a lightweight token has before introspection. */
const REQUIRED_OF_LIGHTWEIGHT = ['jti'] as const

/**
 * @param isComplete false before introspection, whose answer adds the claims that a lightweight token lacks
 * @returns `undefined` if no option restricts anything
 */
export function createRestrictions (options: RestrictionOptions, isComplete: boolean): Restrictions | undefined {
  const { maxTokenAge = Infinity, tokenType, leeway, verifySignature } = options
  const parties = options.authorizedParties && new Set(options.authorizedParties)
  if (parties === undefined && maxTokenAge === Infinity && tokenType === undefined) return undefined
  const required = isComplete ? REQUIRED : REQUIRED_OF_LIGHTWEIGHT
  return { maxTokenAge, check, checkAge }

  function check (claims: JsonObject, now: number): void {
    if (parties !== undefined) checkParty(claims, parties, verifySignature)
    checkAge(claims, now)
    if (tokenType === undefined) return
    for (const name of required) demand(claims, name)
    // Keycloak writes client_id only for service accounts, and azp always.
    demand(claims, member(claims, 'client_id') === undefined ? 'azp' : 'client_id')
  }

  function checkAge (claims: JsonObject, now: number): void {
    if (claims.iat as number + maxTokenAge + leeway <= now) throw notValid(reasonFor('token_too_old', { maxTokenAge }))
  }
}

/** The client that the token was issued to (OpenID Connect Core section 2, RFC 8725 section 3.8). */
function checkParty (claims: JsonObject, parties: ReadonlySet<string>, isShown: boolean): void {
  const azp = member(claims, 'azp')
  if (azp === undefined) throw notValid('azp_missing')
  if (typeof azp !== 'string') throw notValid(reasonFor('claim_not_string', { claim: 'azp', kind: kindOf(azp) }))
  if (!parties.has(azp)) throw notValid(() => reasonFor('azp_mismatch', { azp: isShown ? shown(azp) : undefined, parties: listed([...parties]) }))
}

/** A claim that must be there. An empty one says nothing; its type is checked where it is used. */
function demand (claims: JsonObject, name: string): void {
  const value = member(claims, name)
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) throw notValid(reasonFor('at_jwt_claim_missing', { claim: name }))
  if (name !== 'aud' && typeof value !== 'string') throw notValid(reasonFor('claim_not_string', { claim: name, kind: kindOf(value) }))
}
