import { describe, type KeycloakErrorCode } from '../errors.js'
import type { Guard } from '../access/route-guard.js'
import type { ConfirmationRules } from '../options/confirmation-rules.js'
import { addComponent, component, isOurs, type Document } from './document.js'

type Responses = Readonly<Record<string, unknown>>

/** Every code and its status; a missing code does not compile. */
const STATUS: Readonly<Record<KeycloakErrorCode, 401 | 403 | 502 | 503>> = {
  not_authenticated: 401,
  bad_authorization_header: 401,
  dpop_proof_not_valid: 401,
  dpop_nonce_required: 401,
  token_not_valid: 401,
  token_expired: 401,
  user_inactive: 401,
  insufficient_user_authentication: 401,
  permission_denied: 403,
  exchange_refused: 502,
  keycloak_unavailable: 503
}

/** The codes of refused DPoP proofs, which come only if they are checked. */
const OF_PROOFS: Partial<Record<KeycloakErrorCode, (confirmation: ConfirmationRules) => boolean>> = {
  dpop_proof_not_valid: ({ dpop }) => dpop,
  dpop_nonce_required: ({ usesNonces }) => usesNonces
}

type Headers = Readonly<Record<string, { type: string, description: string }>>

/** The answers of the plugin, in the form that @fastify/swagger reads; without a description the answer cannot come. */
const REFUSALS: ReadonlyArray<{ status: number, headers: (guard: Guard) => Headers, description: (guard: Guard) => string | undefined }> = [
  { status: 401, headers: (guard) => ({ ...challenge(guard), ...nonce(guard) }), description: unauthenticated },
  { status: 403, headers: challenge, description: ({ grants }) => grants && `The access token does not grant the required permission: \`${grants}\`.` },
  {
    status: 503,
    headers: () => ({ 'Retry-After': { type: 'string', description: 'Seconds to wait before the next try.' } }),
    description: () => describe('keycloak_unavailable')
  }
]

function challenge ({ confirmation }: Guard): Headers {
  const description = confirmation?.dpop
    ? 'The challenges of RFC 6750 section 3 and RFC 9449 section 7.1: the schemes that are taken, `DPoP` with the algorithms of proofs in `algs`. The scheme that was used has the `error`.'
    : 'The Bearer challenge of RFC 6750 section 3.'
  return { 'WWW-Authenticate': { type: 'string', description } }
}

function nonce ({ confirmation }: Guard): Headers {
  if (!confirmation?.usesNonces) return {}
  return { 'DPoP-Nonce': { type: 'string', description: 'The nonce of the next DPoP proof, with `dpop_nonce_required` (RFC 9449 section 9).' } }
}

/** The description of 401, with the binding, the proof and the login that the route demands (RFC 9470 section 3). */
function unauthenticated ({ authentication, confirmation, senderConstrained }: Guard): string {
  const isBound = senderConstrained || confirmation?.isRequired === true
  const sentences = [isBound ? 'No access token, one that is not valid, or one that is not bound to a key of the client.' : 'No access token, or one that is not valid.']
  if (confirmation?.dpop) sentences.push('Or `dpop_proof_not_valid`: the DPoP proof of a bound token is missing, not valid or was used before.')
  if (confirmation?.usesNonces) sentences.push('Or `dpop_nonce_required`: repeat the request with a proof that has the nonce of the header `DPoP-Nonce`.')
  if (authentication !== undefined) sentences.push(`Or \`insufficient_user_authentication\`: the route demands another login, \`${authentication.text}\`, which the challenge names in \`acr_values\` and \`max_age\`.`)
  return sentences.join(' ')
}

/** The response that @fastify/swagger writes if a route declares none. */
const DEFAULT_RESPONSE: Responses = { 200: { type: 'null', description: 'Default Response' } }

/** The user's responses and the plugin's. A status that the user declared stays the user's. */
export function withRefusals (responses: Responses | undefined, document: Document, guard: Guard): Responses {
  const declared = new Set(Object.keys(responses ?? {}).map((key) => key.toLowerCase()))
  const all: Record<string, unknown> = { ...responses ?? DEFAULT_RESPONSE }
  for (const { status, headers, description } of REFUSALS) {
    const said = description(guard)
    if (said === undefined) continue
    // Fastify serializes an error by the first of these that is declared, so the body is the user's then.
    if ([`${status}`, `${Math.floor(status / 100)}xx`, 'default'].some((key) => declared.has(key))) continue
    all[status] = {
      description: said,
      headers: headers(guard),
      content: { 'application/json': { schema: { $ref: errorReference(document, guard) } } }
    }
  }
  return all
}

/** The reference to the schema of error bodies. The schema is added at its first use, and never replaces one of the user's. */
function errorReference (document: Document, guard: Guard): string {
  let name = 'KeycloakError'
  let found = component(document, 'schemas', name)
  for (let at = 2; found !== undefined && !isOurs(found); at++) {
    name = `KeycloakError${at}`
    found = component(document, 'schemas', name)
  }
  if (found === undefined) addComponent(document, 'schemas', name, found = errorSchema())
  explainCodes(found as ErrorSchema, guard)
  return `#/components/schemas/${name}`
}

type ErrorSchema = ReturnType<typeof errorSchema>

/** Fastify's error body. `code` is no enum of the plugin's codes, because an application's own 403 has the same body. */
function errorSchema () {
  return {
    type: 'object',
    description: 'Why a request is refused.',
    required: ['statusCode', 'code', 'error', 'message'],
    properties: {
      statusCode: { type: 'integer', description: 'The HTTP status.' },
      code: { type: 'string', description: '' },
      error: { type: 'string', description: 'The HTTP status in words.' },
      message: { type: 'string', description: 'For people.' }
    }
  }
}

/** Explains the codes that a route answers, beside those of other routes, which may be of another registration of the plugin. */
function explainCodes ({ properties: { code } }: ErrorSchema, { confirmation }: Guard): void {
  const lines = EXPLANATIONS.filter(([name, line]) => {
    const comes = OF_PROOFS[name]
    return comes === undefined || (confirmation !== undefined && comes(confirmation)) || code.description.includes(line)
  })
  code.description = `For programs.\n\n${lines.map(([, line]) => line).join('\n')}`
}

/** The line of each code in the schema of error bodies. */
const EXPLANATIONS = (Object.keys(STATUS) as KeycloakErrorCode[]).map((code) => [code, `- \`${code}\` (${STATUS[code]}): ${describe(code)}`] as const)
