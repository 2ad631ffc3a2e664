import type { Revocation } from '../../types/revocation.js'
import type { KeycloakError } from '../errors.js'
import type { JsonObject } from '../util/strict-json.js'
import type { Cause } from '../diagnostics/rate-limited-log.js'

/** What a call of Keycloak orders, once its signature is known to be good. */
export interface Order {
  /** Counts once. */
  id: string
  /** Seconds since 1970, from which on the call is void. */
  until: number
  revocations: Revocation[]
}

/** A kind of call that Keycloak makes with a signed token as its body. */
export interface CallKind {
  /** In words, for the log. */
  name: string
  /** The header's `typ`, in lower case. */
  types: ReadonlySet<string>
  /** Is it such a call, good or not? Users hold other tokens that the realm signed, and may post them here at will. */
  isOne: (claims: JsonObject) => boolean
  /**
   * Check the claims of a verified token, and read the order from them.
   * @param now seconds since 1970: the moment at which the call came, though it may have waited for its key since
   * @throws {KeycloakError} token_not_valid, token_expired
   */
  read: (claims: JsonObject, now: number) => Order
}

/** A call under way. */
export interface PendingCall {
  /** Did the realm sign it, and is it such a call at all? */
  proven: boolean
  /** Was it answered before it was decided? */
  late: boolean
}

/** The cause of the warning about a call that failed. */
export function causeOf ({ proven }: PendingCall, { code }: Pick<KeycloakError, 'code'>): Cause {
  if (proven) return 'proven'
  return code === 'keycloak_unavailable' ? 'lost' : 'unproven'
}

/** The revocations of an order in words, without ids: `3 sessions`. All of them are of one kind. */
export function describeOrder ({ revocations }: Order): string {
  const [first] = revocations
  const count = revocations.length
  switch (first!.kind) {
    case 'session': return count === 1 ? '1 session' : `${count} sessions`
    case 'user': return '1 user'
    case 'everybody': return 'all sessions'
    case 'realm': return first!.at === 0 ? 'no not-before any more' : 'a not-before for all tokens'
  }
}
