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
  if (token.length > rules.maxLength) throw notValid('token_too_long')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (second === -1 || token.includes('.', second + 1)) throw notValid('token_malformed')
  const segment = token.slice(0, first)
  const header = known?.get(segment) ?? parseHeader(objectIn(segment, 'header', rules.maxDepth), rules, token)
  if (second === token.length - 1) throw notValid('signature_missing')
  return { header, segments: { header: segment, payload: token.slice(first + 1, second), signature: token.slice(second + 1) } }
}

/**
 * The payload of a JWS, deeply frozen. The signature is not verified.
 * @throws {KeycloakError} token_not_valid
 */
export function payloadOf ({ segments }: Jws, { maxDepth }: JwsRules): JsonObject {
  if (decode(segments.signature) === undefined) throw notValid('signature_not_base64url')
  return objectIn(segments.payload, 'payload', maxDepth)
}

function parseHeader (header: JsonObject, rules: JwsRules, token: string): Header {
  const refused = (fault: HeaderFault): KeycloakError => headerFault(() => fault, header, () => token.split('.')[1]!, rules)
  const typ = member(header, 'typ')
  if (typ === undefined ? !rules.typeOptional : !(typeof typ === 'string' && rules.types.has(typ.toLowerCase()))) throw refused('typ_not_allowed')
  // This package implements no extension, so none may be critical (RFC 7515 section 4.1.11).
  if (Object.hasOwn(header, 'crit')) throw refused('crit_not_allowed')
  const alg = member(header, 'alg')
  if (typeof alg !== 'string' || !rules.algorithms.has(alg)) {
    rules.onOtherAlgorithm?.(token, header)
    throw refused('alg_unknown')
  }
  const kid = member(header, 'kid')
  if (kid !== undefined && typeof kid !== 'string') throw refused('kid_not_string')
  return { alg, kid }
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

/** The object in a segment, which is JSON in UTF-8 (RFC 7519 section 7.2). */
function objectIn (segment: string, name: 'header' | 'payload', maxDepth: number): JsonObject {
  const bytes = decode(segment)
  if (bytes === undefined) throw notValid(`${name}_not_base64url`)
  const object = parseBytes(bytes, maxDepth)
  if (object === undefined) throw notValid(`${name}_not_json`)
  return object
}
