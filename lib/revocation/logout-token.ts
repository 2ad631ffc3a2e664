import { checkParties, date, type Expectations } from '../token/claims.js'
import { notValid } from '../errors.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import type { CallKind, Order } from './push.js'
import { checkEnd, checkMade } from './call-dates.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** OpenID Connect Back-Channel Logout 1.0 section 2.4 recommends the first; `JWT` says nothing, and the claims decide. */
const TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt', 'jwt'])

type Check = (claims: JsonObject) => void

/** What section 2.6 asks beside dates, issuer and audience. */
const CHECKS: readonly Check[] = [type, event, nonce]

/**
 * A logout token, for the clients that users log in by.
 * @param skew seconds by which the clocks of Keycloak and this API may differ
 */
export function logoutToken (expected: Expectations, skew: number): CallKind {
  return {
    name: 'a back-channel logout',
    types: TYPES,
    isOne: hasEvent,
    read (claims, now): Order {
      checkParties(claims, expected)
      for (const check of CHECKS) check(claims)
      const session = identifier(claims, 'sid')
      const user = identifier(claims, 'sub')
      const id = identifier(claims, 'jti') ?? missing('jti')
      const { iat, exp } = datesOf(claims, skew, now)
      const [at, call] = [Math.floor(iat), { id, until: exp + expected.leeway }]
      const order = { id, until: exp + skew }
      if (session !== undefined) return { ...order, revocations: [{ kind: 'session', id: session, at, call }] }
      if (user !== undefined) return { ...order, revocations: [{ kind: 'user', id: user, at, call }] }
      return missing('sid or sub')
    }
  }
}

/** The dates by Keycloak's clock, checked. */
function datesOf (claims: JsonObject, skew: number, now: number): { iat: number, exp: number } {
  const iat = date(claims, 'iat') ?? missing('iat')
  const exp = date(claims, 'exp') ?? missing('exp')
  checkMade(Math.max(iat, date(claims, 'nbf') ?? iat), skew, now)
  checkEnd(exp, skew, now)
  return { iat, exp }
}

/** Keycloak's own mark; ID and access tokens are signed by the same key. */
function type (claims: JsonObject): void {
  const typ = member(claims, 'typ')
  if (typ !== undefined && typ !== 'Logout') throw notValid('typ is not Logout')
}

function event (claims: JsonObject): void {
  if (!hasEvent(claims)) throw notValid('events has no back-channel logout')
}

function hasEvent (claims: JsonObject): boolean {
  const events = member(claims, 'events')
  return isObject(events) && isObject(member(events, EVENT))
}

/** So that no ID token can ever pass for a logout token (section 2.4). */
function nonce (claims: JsonObject): void {
  if (Object.hasOwn(claims, 'nonce')) throw notValid('nonce is there')
}

function identifier (claims: JsonObject, name: string): string | undefined {
  const value = member(claims, name)
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw notValid(`${name} is not a string`)
  return value
}

function missing (name: string): never {
  throw notValid(`${name} is missing`)
}
