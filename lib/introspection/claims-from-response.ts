import type { AccessTokenClaims } from '../../types/user.js'
import { checkClaims, type ExpectedClaims } from '../token/claims.js'
import { notValid } from '../errors.js'
import { noteOwnLogin } from '../token/login.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { AUD_DEMANDED_FROM } from '../options/keycloak-versions.js'
import { wallSeconds } from '../util/clock.js'
import { plainReason, type Reason, reasonFor } from '../reasons/reason.js'

export interface ClaimsFromResponseOptions extends ExpectedClaims {
  /** The client that asks. */
  clientId: string
  /** Claims that stay the token's if the answer has none of that name. */
  keepClaims: readonly string[]
  /** Called with the token and the answer whose claims take the place of the token's. */
  onClaims: (token: AccessTokenClaims, answer: JsonObject) => void
}

/** Members of an answer that are no claims of the token; `jwt` would even be a token. */
const NO_CLAIMS = ['active', 'jwt']

/** Claims that say how a token may be presented: the answer neither adds nor drops them. */
const PRESENTATION = ['typ', 'cnf']

/**
 * The claims of now of a verified token by a response of introspection, frozen. Only `true` is active, and an
 * answer about another token, issuer or user is none about this one.
 * @throws {KeycloakError} token_not_valid, token_expired
 */
export function claimsFromResponse (answer: JsonObject, token: AccessTokenClaims, options: ClaimsFromResponseOptions): AccessTokenClaims {
  if (member(answer, 'active') !== true) throw notValid(() => whyInactive(token, options))
  const jti = member(answer, 'jti')
  if (jti !== undefined && jti !== member(token, 'jti')) throw notValid(reasonFor('introspection_mismatch', { claim: 'jti' }))
  const iss = member(answer, 'iss')
  if (iss !== undefined && iss !== token.iss) throw notValid(reasonFor('introspection_mismatch', { claim: 'iss' }))
  const [sub, tokenSub] = [member(answer, 'sub'), member(token, 'sub')]
  if (sub !== undefined && tokenSub !== undefined && sub !== tokenSub) throw notValid(reasonFor('introspection_mismatch', { claim: 'sub' }))
  const claims = jti === undefined ? { ...token } : liveClaims(answer, token, options)
  // Its members are frozen already: those of the token's claims, and those of the response.
  return Object.freeze(checkClaims(claims, options, wallSeconds()))
}

/**
 * The answer takes the place of the token's claims: Keycloak leaves `resource_access` out when the last role is
 * withdrawn, and a merge would keep it. Only what bounds the token itself stays the token's, and so does its audience:
 * Keycloak's mappers run anew for an answer, which names more than an exchanged token was made for.
 */
function liveClaims (answer: JsonObject, token: AccessTokenClaims, { keepClaims, onClaims }: ClaimsFromResponseOptions): JsonObject {
  onClaims(token, answer)
  const claims: JsonObject = { iat: token.iat, ...answer, iss: token.iss, exp: earlier(answer, token) }
  for (const name of NO_CLAIMS) delete claims[name]
  for (const name of PRESENTATION) {
    if (Object.hasOwn(token, name)) claims[name] = token[name]
    else delete claims[name]
  }
  if (Object.hasOwn(token, 'aud')) claims.aud = token.aud
  for (const name of keepClaims) {
    if (Object.hasOwn(token, name) && !Object.hasOwn(answer, name)) claims[name] = token[name]
  }
  noteOwnLogin(claims, token)
  return claims
}

/** A logout, and a client that Keycloak tells nothing, look the same in the response: the token tells them apart. */
function whyInactive (token: AccessTokenClaims, { clientId }: ClaimsFromResponseOptions): Reason {
  const aud = member(token, 'aud')
  const client = JSON.stringify(clientId)
  if (aud === undefined) return reasonFor('token_inactive_lightweight', { client })
  return [aud].flat().includes(clientId)
    ? plainReason('token_inactive')
    : reasonFor('token_inactive_audience', { client, versions: AUD_DEMANDED_FROM })
}

/** An exp that is no number is left to the check of the claims. */
function earlier (answer: JsonObject, token: AccessTokenClaims): unknown {
  const exp = member(answer, 'exp')
  if (exp === undefined) return token.exp
  return typeof exp === 'number' ? Math.min(exp, token.exp) : exp
}
