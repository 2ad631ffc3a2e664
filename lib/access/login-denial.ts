import type { ReasonSource } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'
import { loginClaim, type LoginClaim } from '../token/login.js'
import { isLightweight } from '../token/token-kind.js'
import { wallSeconds } from '../util/clock.js'
import { kindOf } from '../util/kind-of.js'
import { shown } from '../util/shown.js'
import type { JsonObject } from '../util/strict-json.js'
import type { AuthenticationRule } from './authentication-rule.js'
import type { Caller } from './caller.js'

/**
 * Why one value of a claim is not enough; `undefined` if it is.
 * @param where the place of the value, if it has not the one that everybody looks at
 */
type Fault = (value: unknown, where: string | undefined) => ReasonSource | undefined

/**
 * Why the login of a caller is not strong or recent enough; `undefined` if it is. With introspection both the token and the
 * answer must say that it is.
 */
export function loginDenial (caller: Caller, { acr, maxAge }: AuthenticationRule): ReasonSource | undefined {
  if (acr !== undefined) {
    const fault = faultOf(caller, 'acr', (value, where) => levelFault(value, where, acr, caller))
    if (fault !== undefined) return fault
  }
  if (maxAge === undefined) return undefined
  return faultOf(caller, 'auth_time', (value, where) => ageFault(value, where, maxAge, caller.realm.options.leeway))
}

function faultOf ({ claims, realm }: Caller, name: LoginClaim, check: Fault): ReasonSource | undefined {
  const values = loginClaim(claims as JsonObject, name)
  for (let at = 0; at < values.length; at++) {
    const value = values[at]
    if (value === undefined) return missing(name, isLightweight(claims as JsonObject) && !realm.options.verifyTokensWithKeycloak)
    const fault = check(value, at === 0 ? undefined : 'of the token')
    if (fault !== undefined) return fault
  }
  return undefined
}

function missing (name: LoginClaim, isLightweight: boolean): ReasonSource {
  if (isLightweight) return () => reasonFor('login_lightweight', { claim: name })
  return name === 'acr' ? 'acr_missing' : 'auth_time_missing'
}

function levelFault (acr: unknown, where: string | undefined, wanted: readonly string[], { realm }: Caller): ReasonSource | undefined {
  if (typeof acr !== 'string') return () => reasonFor('acr_not_string', { kind: kindOf(acr) })
  if (realm.isLevel(acr, wanted)) return undefined
  return () => reasonFor('acr_too_low', { acr: shown(acr), where, wanted: wanted.join(' or ') })
}

/**
 * The age counts in whole seconds, as Keycloak counts it: else, within the last second, Keycloak would take a login to be
 * recent enough that is refused here, and the client would be sent to and fro.
 */
function ageFault (authTime: unknown, where: string | undefined, maxAge: number, leeway: number): ReasonSource | undefined {
  if (!isDate(authTime)) return () => reasonFor('auth_time_malformed', { kind: typeof authTime === 'number' ? 'no date' : kindOf(authTime) })
  const now = wallSeconds()
  if (authTime > now + leeway) return () => reasonFor('auth_time_future', { seconds: Math.ceil(authTime - now) })
  if (Math.floor(now) > authTime + maxAge + leeway) return () => reasonFor('login_too_old', { where, seconds: Math.floor(now - authTime), maxAge })
  return undefined
}

/** A NumericDate (RFC 7519 section 2) since 1970. */
function isDate (value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0
}
