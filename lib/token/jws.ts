import { type KeycloakError, notValid } from '../errors.js'
import { problemOf, type Reason } from '../reasons/reason.js'
import { decode } from '../util/base64url.js'
import { type JsonObject, member, parseBytes } from '../util/strict-json.js'

/** The protected header of an access token, checked except for its key (RFC 7515 section 4.1). */
export interface Header {
  alg: string
  /** `undefined` if the token names no key. */
  kid: string | undefined
}

/** The rules for the form of a JWS, which are checked before its claims. No member may be left out, as of ExpectedClaims. */
export interface JwsRules {
  algorithms: ReadonlySet<string>
  /** The allowed `typ` of the header, in lower case (RFC 7515 section 4.1.9). */
  types: ReadonlySet<string>
  /** May the header have no `typ`? */
  typeOptional: boolean
  /** Characters. A longer JWS is refused before it is read. */
  maxLength: number
  /** The deepest nesting of its JSON. */
  maxDepth: number
  /** Called with a header whose algorithm is not allowed, before the token is refused. */
  onOtherAlgorithm: ((token: string, header: JsonObject) => void) | undefined
  /** Makes the reasons; `undefined`: they name the problem alone. */
  explain: ExplainHeader | undefined
}

/** The faults of a readable header, and of its key. */
export type HeaderFault =
  | 'typ_not_allowed' | 'crit_not_allowed' | 'alg_unknown' | 'kid_not_string'
  | 'kid_unknown' | 'kid_on_cooldown' | 'key_other_algorithm'

/**
 * Makes the reason of a fault, when somebody reads it.
 * @param payload the claims of the JWS, which nobody has verified; `undefined` if it cannot be read
 */
export type ExplainHeader = (fault: HeaderFault, header: JsonObject, payload: JsonObject | undefined) => Reason

/** The `typ` of access tokens: RFC 9068 section 2.1, and `JWT`, which Keycloak writes by default. */
export const ACCESS_TOKEN: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

/** The `typ` of RFC 9068 section 2.1 alone. */
export const AT_JWT: ReadonlySet<string> = new Set(['at+jwt', 'application/at+jwt'])

/** A compact JWS whose header has been checked. */
export interface Jws {
  header: Header
  /** The segments in base64url, unchanged. */
  segments: { header: string, payload: string, signature: string }
}

/**
 * Split a compact JWS (RFC 7515 section 3.1) and check its header. Payload and signature are not checked, except that they
 * exist.
 * @param known headers that have passed the same rules before, by their segments
 * @throws {KeycloakError} token_not_valid
 */
export function openJws (token: string, rules: JwsRules, known?: ReadonlyMap<string, Header>): Jws {
  const segments = splitJws(token, rules)
  const header = known?.get(segments.header) ?? parseHeader(readHeader(segments.header, rules), rules, token)
  if (segments.signature === '') throw notValid('signature_missing')
  return { header, segments }
}

/**
 * The segments of a compact JWS; the last one may be empty.
 * @throws {KeycloakError} token_not_valid
 */
export function splitJws (token: string, { maxLength }: JwsRules): Jws['segments'] {
  if (token.length > maxLength) throw notValid('token_too_long')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (second === -1 || token.includes('.', second + 1)) throw notValid('token_malformed')
  return { header: token.slice(0, first), payload: token.slice(first + 1, second), signature: token.slice(second + 1) }
}

/**
 * The payload of a JWS, deeply frozen. The signature is not verified.
 * @throws {KeycloakError} token_not_valid
 */
export function payloadOf ({ segments }: Jws, { maxDepth }: JwsRules): JsonObject {
  if (decode(segments.signature) === undefined) throw notValid('signature_not_base64url')
  return objectIn(segments.payload, 'payload', maxDepth)
}

/** A check of a readable header; its fault, or `undefined`. */
type HeaderCheck = (header: JsonObject, rules: JwsRules) => HeaderFault | undefined

/** The checks of a header by the member that they look at, in their order. */
export const HEADER_CHECKS = {
  typ (header, { types, typeOptional }) {
    const typ = member(header, 'typ')
    const isAllowed = typ === undefined ? typeOptional : typeof typ === 'string' && types.has(typ.toLowerCase())
    return isAllowed ? undefined : 'typ_not_allowed'
  },
  // This package implements no extension, so none may be critical (RFC 7515 section 4.1.11).
  crit: (header) => Object.hasOwn(header, 'crit') ? 'crit_not_allowed' : undefined,
  alg (header, { algorithms }) {
    const alg = member(header, 'alg')
    return typeof alg === 'string' && algorithms.has(alg) ? undefined : 'alg_unknown'
  },
  kid (header) {
    const kid = member(header, 'kid')
    return kid === undefined || typeof kid === 'string' ? undefined : 'kid_not_string'
  }
} as const satisfies Readonly<Record<string, HeaderCheck>>

const CHECKS: readonly HeaderCheck[] = Object.values(HEADER_CHECKS)

function parseHeader (header: JsonObject, rules: JwsRules, token: string): Header {
  for (const check of CHECKS) {
    const fault = check(header, rules)
    if (fault === undefined) continue
    if (fault === 'alg_unknown') rules.onOtherAlgorithm?.(token, header)
    throw headerFault(() => fault, header, () => token.split('.')[1]!, rules)
  }
  return { alg: member(header, 'alg') as string, kid: member(header, 'kid') as string | undefined }
}

/** The refusal of a JWS for its header. The payload, which may explain more, is parsed only when the reason is read. */
export function headerFault (fault: () => HeaderFault, header: JsonObject, payload: () => string, { explain, maxDepth }: JwsRules): KeycloakError {
  return notValid(() => explain === undefined ? problemOf(fault()) : explain(fault(), header, peek(payload(), maxDepth)))
}

/** The object in a segment; `undefined` if the segment is not the JSON of an object. */
function peek (segment: string, maxDepth: number): JsonObject | undefined {
  const bytes = decode(segment)
  return bytes && parseBytes(bytes, maxDepth)
}

/**
 * The header in a segment, of which nothing is checked.
 * @throws {KeycloakError} token_not_valid
 */
export function readHeader (segment: string, { maxDepth }: JwsRules): JsonObject {
  return objectIn(segment, 'header', maxDepth)
}

/** The object in a segment, which is JSON in UTF-8 (RFC 7519 section 7.2). */
function objectIn (segment: string, name: 'header' | 'payload', maxDepth: number): JsonObject {
  const bytes = decode(segment)
  if (bytes === undefined) throw notValid(`${name}_not_base64url`)
  const object = parseBytes(bytes, maxDepth)
  if (object === undefined) throw notValid(`${name}_not_json`)
  return object
}
