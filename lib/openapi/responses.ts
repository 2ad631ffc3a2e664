import { describe, type KeycloakErrorCode } from '../errors.js'
import type { Guard } from '../access/route-guard.js'
import { addComponent, component, isOurs, type Document } from './document.js'

type Responses = Readonly<Record<string, unknown>>

/** Every code and its status; a missing code does not compile. */
const STATUS: Readonly<Record<KeycloakErrorCode, 401 | 403 | 503>> = {
  not_authenticated: 401,
  bad_authorization_header: 401,
  dpop_proof_not_valid: 401,
  dpop_nonce_required: 401,
  token_not_valid: 401,
  token_expired: 401,
  user_inactive: 401,
  insufficient_user_authentication: 401,
  permission_denied: 403,
  keycloak_unavailable: 503
}

const CHALLENGE = { 'WWW-Authenticate': { type: 'string', description: 'The Bearer challenge of RFC 6750 section 3.' } }

/** The answers of the plugin, in the form that @fastify/swagger reads. */
const REFUSALS = [
  { status: 401, headers: CHALLENGE, description: unauthenticated },
  { status: 403, headers: CHALLENGE, description: ({ text }: Guard) => `The access token does not grant the required permission: \`${text}\`.` },
  {
    status: 503,
    headers: { 'Retry-After': { type: 'string', description: 'Seconds to wait before the next try.' } },
    description: () => describe('keycloak_unavailable')
  }
]

/** The description of 401, with the login that the route demands (RFC 9470 section 3). */
function unauthenticated ({ authentication }: Guard): string {
  const token = 'No access token, or one that is not valid.'
  if (authentication === undefined) return token
  return `${token} Or \`insufficient_user_authentication\`: the route demands another login, \`${authentication.text}\`, which the challenge names in \`acr_values\` and \`max_age\`.`
}

/** The response that @fastify/swagger writes if a route declares none. */
const DEFAULT_RESPONSE: Responses = { 200: { type: 'null', description: 'Default Response' } }

/** The user's responses and the plugin's. A status that the user declared stays the user's. */
export function withRefusals (responses: Responses | undefined, document: Document, guard: Guard): Responses {
  const declared = new Set(Object.keys(responses ?? {}).map((key) => key.toLowerCase()))
  const all: Record<string, unknown> = { ...responses ?? DEFAULT_RESPONSE }
  for (const { status, headers, description } of REFUSALS) {
    if (status === 403 && guard.access !== 'restricted') continue
    // Fastify serializes an error by the first of these that is declared, so the body is the user's then.
    if ([`${status}`, `${Math.floor(status / 100)}xx`, 'default'].some((key) => declared.has(key))) continue
    all[status] = {
      description: description(guard),
      headers,
      content: { 'application/json': { schema: { $ref: errorReference(document) } } }
    }
  }
  return all
}

/** The reference to the schema of error bodies. The schema is added at its first use, and never replaces one of the user's. */
function errorReference (document: Document): string {
  let name = 'KeycloakError'
  let found = component(document, 'schemas', name)
  for (let at = 2; found !== undefined && !isOurs(found); at++) {
    name = `KeycloakError${at}`
    found = component(document, 'schemas', name)
  }
  if (found === undefined) addComponent(document, 'schemas', name, errorSchema())
  return `#/components/schemas/${name}`
}

/** Fastify's error body. `code` is no enum of the plugin's codes, because an application's own 403 has the same body. */
function errorSchema (): object {
  const codes = Object.entries(STATUS).map(([code, status]) => `- \`${code}\` (${status}): ${describe(code as KeycloakErrorCode)}`)
  return {
    type: 'object',
    description: 'Why a request is refused.',
    required: ['statusCode', 'code', 'error', 'message'],
    properties: {
      statusCode: { type: 'integer', description: 'The HTTP status.' },
      code: { type: 'string', description: `For programs.\n\n${codes.join('\n')}` },
      error: { type: 'string', description: 'The HTTP status in words.' },
      message: { type: 'string', description: 'For people.' }
    }
  }
}
