import { checkParties, date, type ExpectedClaims } from '../token/claims.js'
import { notValid } from '../errors.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import type { PushedRevocation, PushKind } from './push.js'
import { checkExpiration, checkIssuedAt } from './push-dates.js'
import { reasonFor } from '../reasons/reason.js'

/** The member of `events` (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** Section 2.4 recommends the first. Keycloak writes `JWT`, which names no kind of token: the claims decide. */
export const LOGOUT_TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt', 'jwt'])

type Check = (claims: JsonObject) => void

/** The checks of section 2.6 beside dates, issuer and audience. */
const CHECKS: readonly Check[] = [checkType, checkEvent, checkNonce]

/**
 * Back-channel logouts: logout tokens for the clients that users log in by.
 * @param skew seconds by which the clocks of Keycloak and this API may differ
 */
export function backchannelLogout (expected: ExpectedClaims, skew: number): PushKind {
  return {
    name: 'a back-channel logout',
    types: LOGOUT_TYPES,
    isOne: hasEvent,
    read (claims, now): PushedRevocation {
      checkParties(claims, expected)
      for (const check of CHECKS) check(claims)
      const session = identifier(claims, 'sid')
      const user = identifier(claims, 'sub')
      const id = identifier(claims, 'jti') ?? missing('jti')
      const { iat, exp } = checkedDates(claims, skew, now)
      const [at, call] = [Math.floor(iat), { id, until: exp + expected.leeway }]
      const push = { id, until: exp + skew }
      if (session !== undefined) return { ...push, revocations: [{ kind: 'session', id: session, at, call }] }
      if (user !== undefined) return { ...push, revocations: [{ kind: 'user', id: user, at, call }] }
      return missing('sid or sub')
    }
  }
}

/** Seconds since 1970, by Keycloak's clock. */
function checkedDates (claims: JsonObject, skew: number, now: number): { iat: number, exp: number } {
  const iat = date(claims, 'iat') ?? missing('iat')
  const exp = date(claims, 'exp') ?? missing('exp')
  checkIssuedAt(Math.max(iat, date(claims, 'nbf') ?? iat), skew, now)
  checkExpiration(exp, skew, now)
  return { iat, exp }
}

/** Keycloak writes `typ` into each token: ID tokens and access tokens are signed by the same key. */
function checkType (claims: JsonObject): void {
  const typ = member(claims, 'typ')
  if (typ !== undefined && typ !== 'Logout') throw notValid('logout_typ')
}

function checkEvent (claims: JsonObject): void {
  if (!hasEvent(claims)) throw notValid('logout_event_missing')
}

function hasEvent (claims: JsonObject): boolean {
  const events = member(claims, 'events')
  return isObject(events) && isObject(member(events, EVENT))
}

/** Section 2.4 forbids `nonce`, so that an ID token never passes for a logout token. */
function checkNonce (claims: JsonObject): void {
  if (Object.hasOwn(claims, 'nonce')) throw notValid('logout_nonce')
}

function identifier (claims: JsonObject, name: string): string | undefined {
  const value = member(claims, name)
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw notValid(reasonFor('push_claim_not_string', { claim: name }))
  return value
}

function missing (name: string): never {
  throw notValid(reasonFor('push_claim_missing', { claim: name }))
}
