import { describe, type KeycloakErrorCode } from '../errors.js'
import type { Guard } from '../access/route-guard.js'
import { addComponent, component, isOurs, type Document } from './document.js'

type Responses = Readonly<Record<string, unknown>>

/** Every code and its status: one that is missing here does not compile. */
const STATUS: Readonly<Record<KeycloakErrorCode, 401 | 403 | 503>> = {
  not_authenticated: 401,
  bad_authorization_header: 401,
  token_not_valid: 401,
  token_expired: 401,
  user_inactive: 401,
  permission_denied: 403,
  keycloak_unavailable: 503
}

const CHALLENGE = { 'WWW-Authenticate': { type: 'string', description: 'The Bearer challenge of RFC 6750 section 3.' } }

/** The answers of the plugin, in the form that @fastify/swagger reads. */
const REFUSALS = [
  { status: 401, headers: CHALLENGE, description: () => 'No access token, or one that is not valid.' },
  { status: 403, headers: CHALLENGE, description: ({ text }: Guard) => `The access token does not grant what this needs: \`${text}\`.` },
  {
    status: 503,
    headers: { 'Retry-After': { type: 'string', description: 'Seconds until it is worth another try.' } },
    description: () => describe('keycloak_unavailable')
  }
]

/** The response that @fastify/swagger writes if a route declares none. */
const DEFAULT_RESPONSE: Responses = { 200: { type: 'null', description: 'Default Response' } }

/** The user's responses with the plugin's added: each only where the user has no word for that status. */
export function withRefusals (responses: Responses | undefined, document: Document, guard: Guard): Responses {
  const declared = new Set(Object.keys(responses ?? {}).map((key) => key.toLowerCase()))
  const all: Record<string, unknown> = { ...responses ?? DEFAULT_RESPONSE }
  for (const { status, headers, description } of REFUSALS) {
    if (status === 403 && guard.access !== 'restricted') continue
    // Fastify serializes an error by the first of these that is declared: the body is the user's then.
    if ([`${status}`, `${Math.floor(status / 100)}xx`, 'default'].some((key) => declared.has(key))) continue
    all[status] = {
      description: description(guard),
      headers,
      content: { 'application/json': { schema: { $ref: errorReference(document) } } }
    }
  }
  return all
}

/** The place of the error body's schema in the document. It is added with the first use, never in the place of the user's. */
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

/** Fastify's error body. The code is not limited to ours: your own 403 on a route looks the same. */
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
