import type { JwsRules } from '../token/jws.js'
import { payloadOf, readHeader, splitJws } from '../token/jws.js'
import { shown } from '../util/shown.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** Members of a token that are no secret, as far as they may be shown: `null` for one that is missing, strange or long. */
export interface TokenFacts {
  alg: string | null
  typ: string | null
  iss: string | null
  azp: string | null
  aud: ReadonlyArray<string | null> | null
  scope: string | null
  acr: string | null
  /** Dates in the form of ISO 8601. */
  issuedAt: string | null
  expiresAt: string | null
  loginAt: string | null
  /** The ways in which the token is bound to a key of its client. */
  bound: ReadonlyArray<'dpop' | 'certificate'>
}

/** So many values of `aud` are shown. */
const MAX_LISTED = 10

/** What a token says about itself, whether it is signed or not; `undefined` if it cannot be read. */
export function factsOf (token: string, rules: JwsRules): TokenFacts | undefined {
  try {
    const segments = splitJws(token, rules)
    return factsIn(readHeader(segments.header, rules), payloadOf({ header: { alg: '', kid: undefined }, segments }, rules))
  } catch {
    return undefined
  }
}

function factsIn (header: JsonObject, claims: JsonObject): TokenFacts {
  const aud = member(claims, 'aud')
  const cnf = isObject(claims.cnf) ? claims.cnf : {}
  return {
    alg: showable(member(header, 'alg')),
    typ: showable(member(claims, 'typ')),
    iss: showable(member(claims, 'iss')),
    azp: showable(member(claims, 'azp')),
    aud: aud === undefined ? null : [aud].flat().slice(0, MAX_LISTED).map(showable),
    scope: showable(member(claims, 'scope')),
    acr: showable(member(claims, 'acr')),
    issuedAt: isoDate(member(claims, 'iat')),
    expiresAt: isoDate(member(claims, 'exp')),
    loginAt: isoDate(member(claims, 'auth_time')),
    bound: [...Object.hasOwn(cnf, 'jkt') ? ['dpop' as const] : [], ...Object.hasOwn(cnf, 'x5t#S256') ? ['certificate' as const] : []]
  }
}

function showable (value: unknown): string | null {
  return shown(value) === undefined ? null : value as string
}

/** The largest date of JavaScript is 8.64e15 ms. */
function isoDate (seconds: unknown): string | null {
  if (typeof seconds !== 'number' || !(Math.abs(seconds) <= 8.64e12)) return null
  return new Date(seconds * 1000).toISOString()
}
