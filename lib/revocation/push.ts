import type { Revocation } from '../../types/revocation.js'
import { KeycloakError } from '../errors.js'
import type { JsonObject } from '../util/strict-json.js'
import type { Cause } from '../diagnostics/rate-limited-log.js'

/** One kind of push: a POST request of Keycloak whose body is a signed token that tells of a logout or a not-before date. */
export interface PushKind {
  /** The kind in words, for the log. */
  name: string
  /** Values of the header `typ`, in lower case. */
  types: ReadonlySet<string>
  /**
   * Tells a push of this kind, valid or not, from the other tokens that the realm signs: users hold access tokens and ID tokens,
   * and may post them here at will.
   */
  isOne: (claims: JsonObject) => boolean
  /**
   * Check the claims of a verified token, and read the revocations from them.
   * @param now time of arrival, in seconds since 1970; the push may have waited for its key since
   * @throws {KeycloakError} token_not_valid
   */
  read: (claims: JsonObject, now: number) => PushedRevocation
}

/** The revocations of one push whose signature is verified. */
export interface PushedRevocation {
  /** Id of the push, which counts once. */
  id: string
  /** End of the push, in seconds since 1970. */
  until: number
  /** At least one, all of one kind. */
  revocations: Revocation[]
}

/** The state of a push that is not decided yet. */
export interface PendingCall {
  /** The realm signed the push, and it is of the kind that the route takes. */
  proven: boolean
  /** The request was answered before the push was decided. */
  late: boolean
  /** The name of the issuer that the push says it is of, if there are several and it is one of them. */
  issuer: string | undefined
}

/** Milliseconds that a push may wait: Keycloak's tokens end after two minutes, a forged one has no end. */
export const MAX_WAIT = 600_000

/** Is it an answer that stays: the issuer is unknown? */
export function isRefusal (error: unknown): error is KeycloakError {
  return error instanceof KeycloakError && error.code === 'token_not_valid'
}

/** The cause of the warning about a push that failed. */
export function causeOf ({ proven }: PendingCall, { code }: Pick<KeycloakError, 'code'>): Cause {
  if (proven) return 'proven'
  return code === 'keycloak_unavailable' ? 'lost' : 'unproven'
}

/** The revocations in words, without ids: `3 sessions`. */
export function describeRevocations ({ revocations }: PushedRevocation): string {
  const [first] = revocations
  const count = revocations.length
  switch (first!.kind) {
    case 'session': return count === 1 ? '1 session' : `${count} sessions`
    case 'user': return '1 user'
    case 'everybody': return 'all sessions'
    case 'realm': return first!.at === 0 ? 'no not-before any more' : 'a not-before for all tokens'
  }
}
