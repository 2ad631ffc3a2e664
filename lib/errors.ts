import { networkReason } from './reasons/network.js'
import { isReason, isReasonCode, type KeycloakReasonCode, plainReason, type PlainReasonCode, type Reason, reasonFor } from './reasons/reason.js'
import { withoutStack } from './util/without-stack.js'

/** Every refusal: its code, status, message for the client, and the error of its challenge (RFC 6750 section 3.1). */
const REFUSALS = {
  bad_authorization_header: { statusCode: 401, challenge: 'invalid_request', message: 'The Authorization header must be one: "Bearer", a space and one token.' },
  dpop_proof_not_valid: { statusCode: 401, challenge: 'invalid_dpop_proof', message: 'The DPoP proof is not valid.' },
  dpop_nonce_required: { statusCode: 401, challenge: 'use_dpop_nonce', message: 'The DPoP proof needs the nonce of the header DPoP-Nonce.' },
  token_not_valid: { statusCode: 401, challenge: 'invalid_token', message: 'The access token is not valid.' },
  token_expired: { statusCode: 401, challenge: 'invalid_token', message: 'The access token has expired.' },
  user_inactive: { statusCode: 401, challenge: 'invalid_token', message: 'The user is inactive or unknown.' },
  insufficient_user_authentication: {
    statusCode: 401,
    challenge: 'insufficient_user_authentication',
    message: 'A stronger or more recent login is required.'
  },
  not_authenticated: { statusCode: 401, challenge: '', message: 'An access token is required.' },
  permission_denied: {
    statusCode: 403,
    challenge: 'insufficient_scope',
    message: 'You do not have permission to perform this action.'
  },
  exchange_refused: { statusCode: 502, challenge: null, message: 'A service that this API needs cannot be called.' },
  keycloak_unavailable: {
    statusCode: 503,
    challenge: null,
    message: 'The identity provider cannot be reached, try again later.'
  }
} as const

/** The codes of every answer the plugin gives. */
export type KeycloakErrorCode = keyof typeof REFUSALS

/** Further parameters of the challenge of a refusal, by name: `scope` (RFC 6750 section 3). */
export type ChallengeParameters = Readonly<Record<string, string>>

/** A reason of the table, or a function that makes it when somebody reads it. */
export type ReasonSource = PlainReasonCode | Reason | (() => Reason)

/** The reasons of an application's own errors are sentences of its own, too. */
type OwnReason = ReasonSource | string | (() => string)

/**
 * A refusal. `statusCode`, `code` and `message` become Fastify's usual error body; `reasonCode` and `reason` are for
 * operators alone: the answer has neither of them.
 *
 * Not made by @fastify/error, which turns codes into upper case: these codes are a contract with clients.
 */
export class KeycloakError extends Error {
  /** 401, 403, 502 or 503. */
  readonly statusCode: number
  /** The code for clients. */
  readonly code: KeycloakErrorCode
  /** A private member costs a third of what a property that is not enumerable does. */
  #reason: OwnReason
  /** Parameters of the challenge beside realm, error and error_description. */
  declare readonly challengeParameters: ChallengeParameters | undefined
  /** The nonce that the next DPoP proof must have (RFC 9449 section 9). */
  declare readonly dpopNonce?: string

  /** @param challenge parameters of the challenge; a string is its `scope` */
  constructor (code: KeycloakErrorCode, reason: OwnReason, challenge?: string | ChallengeParameters) {
    super(REFUSALS[code].message)
    this.code = code
    this.statusCode = REFUSALS[code].statusCode
    this.#reason = reason
    Object.defineProperty(this, 'challengeParameters', { value: typeof challenge === 'string' ? { scope: challenge } : challenge })
  }

  /** The reason in one sentence for operators. It is no own property, so that no serializer sends it. */
  get reason (): string {
    return KeycloakError.#tell(this).reason
  }

  /** The reason for programs: a code of docs/troubleshooting.md. It is no own property either. */
  get reasonCode (): KeycloakReasonCode {
    // Each refusal is counted by its code, and a sentence is made only for the log.
    return typeof this.#reason === 'string' && isReasonCode(this.#reason) ? this.#reason : KeycloakError.#tell(this).reasonCode
  }

  /** Makes the reason when it is read first. Static, because a private method would cost each new error 0.1 µs. */
  static #tell (error: KeycloakError): Reason {
    const told = toldBy(error.#reason)
    error.#reason = told
    return told
  }

  /** The scopes that the challenge asks for (RFC 6750 section 3). */
  get scope (): string | undefined {
    return this.challengeParameters?.scope
  }

  /** The same as `statusCode`: with `expose` the signature of http-errors. NestJS 12 answers 500 for an error without it. */
  get status (): number {
    return this.statusCode
  }

  /** The message is for clients. */
  get expose (): boolean {
    return true
  }

  /** GraphQL servers copy this member into the `extensions` of an answer's error (graphql-js), so that `code` reaches the client. */
  get extensions (): { code: KeycloakErrorCode } {
    return { code: this.code }
  }
}
Object.defineProperty(KeycloakError.prototype, 'name', { value: 'KeycloakError' })

/**
 * The reason that was given. An application in JavaScript may give none, or a function that throws: the refusal stands all
 * the same, and a line of the log must not take its place.
 */
function toldBy (source: OwnReason): Reason {
  let given: unknown
  try {
    given = typeof source === 'function' ? source() : source
  } catch {}
  if (typeof given === 'string') return isReasonCode(given) ? plainReason(given) : reasonFor('refused_by_application', { sentence: given })
  return isReason(given) ? given : reasonFor('refused_by_application', { sentence: 'the application gave no reason' })
}

/** Is it a refusal, of this copy of the package or of another one in the process? */
export function isRefusal (error: unknown): error is KeycloakError {
  if (error instanceof KeycloakError) return true
  return error instanceof Error && error.name === 'KeycloakError' && Object.hasOwn(REFUSALS, (error as KeycloakError).code)
}

/** The error of a challenge (RFC 6750 section 3.1): '' if the client sent no token, `null` if no challenge helps. */
export function challengeErrorOf (code: KeycloakErrorCode): string | null {
  return REFUSALS[code].challenge
}

/** The documentation of an answer, for OpenAPI. */
export function describe (code: KeycloakErrorCode): string {
  return REFUSALS[code].message
}

/** Makes a refusal of this package. It has no stack, because a stack would tell no more than `reason`. */
export function refusal (code: KeycloakErrorCode, reason: ReasonSource, challenge?: ChallengeParameters): KeycloakError {
  return withoutStack(() => new KeycloakError(code, reason, challenge))
}

/**
 * Makes the refusal of a DPoP proof without the nonce of now (RFC 9449 section 9).
 * @param nonce the nonce that the next proof must have
 */
export function nonceRequired (reason: ReasonSource, nonce: string): KeycloakError {
  return Object.defineProperty(refusal('dpop_nonce_required', reason), 'dpopNonce', { value: nonce })
}

/** Makes the refusal of a token; only the debug log shows `reason`. */
export function notValid (reason: ReasonSource): KeycloakError {
  return refusal('token_not_valid', reason)
}

/**
 * The kinds of failures that make Keycloak unavailable:
 * - `unreachable`: no connection, no response in time, or a 5xx
 * - `bad-response`: a response that is malformed, or that refuses this client
 * - `local`: Keycloak was not asked, or nobody waits for the response any more
 */
export type FailureKind = 'unreachable' | 'bad-response' | 'local'

/** The refusal of a request because Keycloak could not be asked; only the log shows `reason`. */
export class UnavailableError extends KeycloakError {
  declare readonly failureKind: FailureKind
  /** The status of the response, if there was one. */
  declare readonly responseStatus: number | undefined

  constructor (reason: ReasonSource, failureKind: FailureKind, responseStatus?: number) {
    super('keycloak_unavailable', reason)
    Object.defineProperty(this, 'failureKind', { value: failureKind })
    Object.defineProperty(this, 'responseStatus', { value: responseStatus })
  }
}

export function unavailable (reason: ReasonSource, failureKind: FailureKind = 'bad-response', status?: number): UnavailableError {
  return withoutStack(() => new UnavailableError(reason, failureKind, status))
}

/** The code of a foreign error, if it has the form of a code. The rest of the error is not kept, because its text may quote a secret. */
export function codeOf (error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_/]{2,63}$/.test(code) ? code : undefined
}

/** The reason for which a call over the network failed. */
export function networkFailure (error: unknown): Reason {
  const cause = codeOf(error)
  return cause === undefined ? reasonFor('call_failed', {}) : reasonFor(networkReason(cause), { cause })
}

/** The reason for which a call failed, for the log. Only our own class is trusted with a text: members of a foreign error may have any. */
export function reasonOf (error: unknown): string {
  return error instanceof UnavailableError ? error.reason : networkFailure(error).reason
}
