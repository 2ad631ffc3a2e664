import type { AccessTokenClaims } from '../../types/user.js'
import { notValid } from '../errors.js'
import { member } from '../util/strict-json.js'

/** Kind of session, token and grant, which Keycloak writes in front of `jti` since 26.2: `ofrtrt:e2c1…`. */
const CONTEXT = /^(on|of|tr|nt|ft)(?:rt|lt)[a-z]{2}:/

/** Kinds of offline sessions: `of`, and `ft` for a token that was exchanged from a token of an offline session. */
const OFFLINE: ReadonlySet<string | undefined> = new Set(['of', 'ft'])

/**
 * The session of a token. Keycloak writes `sid` into access tokens since version 15, `session_state` up to 24 with the
 * same value; its logout tokens have had `sid` from the beginning (12).
 * @throws {KeycloakError} token_not_valid when the session is no string: nobody could log it out
 */
export function sessionOf (claims: AccessTokenClaims): string | undefined {
  // Each request of a kept token comes here, and V8 finds a literal name faster than member() does.
  const sid: unknown = Object.hasOwn(claims, 'sid') ? claims.sid : undefined
  const session = sid ?? member(claims, 'session_state')
  if (session !== undefined && typeof session !== 'string') throw notValid('sid_not_string')
  return session
}

/**
 * Is the token of an offline session? An offline session has the `sid` of the browser session in which it was granted, and survives
 * the logout of that session. The scope does not tell the two apart: a refresh may leave `offline_access` out, and an exchanged
 * token of a browser session may have it. Keycloak before 26.2 tells by the scope alone.
 */
export function isOffline (claims: AccessTokenClaims): boolean {
  const jti = member(claims, 'jti')
  const context = typeof jti === 'string' ? CONTEXT.exec(jti) : null
  if (context !== null) return OFFLINE.has(context[1])
  const scope = member(claims, 'scope')
  return typeof scope === 'string' && scope.split(' ').includes('offline_access')
}
