import { unavailable } from '../errors.js'
import type { TokenReply } from '../keycloak/token-endpoint.js'
import { decode } from '../util/base64url.js'
import { type JsonObject, member, parseBytes, parseObject } from '../util/strict-json.js'

/** The limits of an answer. */
export interface AnswerLimits {
  /** Characters of a token. */
  tokenLength: number
  /** Levels of JSON. */
  jsonDepth: number
}

/** A token as Keycloak gave it. It came from Keycloak itself, so its signature is the next service's to check. */
export interface IssuedToken {
  readonly token: string
  /** Seconds that it lives; `undefined` if the answer does not tell, or tells nonsense: then it is not kept. */
  readonly lifetime: number | undefined
}

/** RFC 6750 section 2.1: the characters of a token in a header, of which none could end it. */
const TOKEN = /^[\w.~+/-]+=*$/

/** Seconds. Whoever says that a token lives longer is not believed. */
const MAX_LIFETIME = 366 * 24 * 3600

const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * The token of an answer (RFC 6749 section 5.1).
 * @throws {KeycloakError} keycloak_unavailable for an answer without a Bearer token
 */
export function issuedToken ({ body }: TokenReply, limits: AnswerLimits): IssuedToken {
  return tokenIn(membersOf(body, limits), limits)
}

/** The same for an exchange, whose answer tells the kind of the token (RFC 8693 section 2.2.1). */
export function exchangedToken ({ body }: TokenReply, limits: AnswerLimits): IssuedToken {
  const members = membersOf(body, limits)
  if (member(members, 'issued_token_type') !== ACCESS_TOKEN_TYPE) throw unavailable('token_answer_malformed')
  return tokenIn(members, limits)
}

/** Does the claim `aud` of a token name an audience? Of a token that is no JWT nobody can tell, so it does not. */
export function isFor (token: string, audience: string, { jsonDepth }: AnswerLimits): boolean {
  const bytes = decode(token.split('.')[1] ?? '')
  const aud = member((bytes && parseBytes(bytes, jsonDepth)) ?? {}, 'aud')
  return [aud].flat().includes(audience)
}

function membersOf (body: string, { jsonDepth }: AnswerLimits): JsonObject {
  const members = parseObject(body, jsonDepth)
  if (members === undefined) throw unavailable('body_not_json')
  return members
}

function tokenIn (members: JsonObject, { tokenLength }: AnswerLimits): IssuedToken {
  const [token, type, lifetime] = ['access_token', 'token_type', 'expires_in'].map((name) => member(members, name))
  const isToken = typeof token === 'string' && token.length <= tokenLength && TOKEN.test(token)
  if (!isToken || typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw unavailable('token_answer_malformed')
  return { token, lifetime: typeof lifetime === 'number' && lifetime > 0 && lifetime <= MAX_LIFETIME ? lifetime : undefined }
}
