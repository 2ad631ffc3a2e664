import type { ClientAssertionProvider } from '../../types/client-authentication.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { monotonicMilliseconds } from '../util/clock.js'
import type { Deadline } from '../util/deadline.js'
import { withDeadline } from '../util/with-timeout.js'
import { assertionMembers, type ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'

/** Least time between two second calls of the function for a refused assertion, in milliseconds. */
const ASK_AGAIN = 1000

/** The most calls of the function that may be under way: one that never returns must not pile up. */
const MAX_UNDER_WAY = 256

/** A JWT in its compact form. Node takes no header of a request that is longer. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const MAX_LENGTH = 16_384

/**
 * An assertion that somebody else signed, such as a Kubernetes service account token. The function is called for each call to Keycloak: the token
 * changes from time to time, and a provider of OpenID Connect makes assertions that Keycloak takes once only, so that no call may share another's.
 */
export class ForeignAssertion implements ClientAuthentication {
  /** Never at hand. */
  readonly current = undefined
  readonly #clientId: string
  readonly #provide: ClientAssertionProvider
  readonly #closing: Closing
  #underWay = 0
  #askedAgainAt = -Infinity

  constructor (clientId: string, provide: ClientAssertionProvider, closing: Closing) {
    this.#clientId = clientId
    this.#provide = provide
    this.#closing = closing
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the function throws, gives no JWT, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<string> {
    if (this.#underWay >= MAX_UNDER_WAY) throw missing()
    return this.#closing.until(withDeadline(this.#ask(), deadline, missing))
  }

  /** @returns what the function returns now; `undefined` if that is the same, or if it was called again a moment ago */
  async other (refused: string, deadline: Deadline, { reasonCode }: UnavailableError): Promise<string | undefined> {
    const now = monotonicMilliseconds()
    // An assertion that came twice, because its connection broke, is no fault of its source.
    if (reasonCode !== 'assertion_reused') {
      if (now - this.#askedAgainAt < ASK_AGAIN) return undefined
      this.#askedAgainAt = now
    }
    const other = await this.get(deadline)
    return other === refused ? undefined : other
  }

  async #ask (): Promise<string> {
    this.#underWay++
    const assertion: unknown = await this.#call().finally(() => { this.#underWay-- })
    const text = typeof assertion === 'string' ? assertion.trim() : ''
    if (text.length > MAX_LENGTH || !JWT.test(text)) throw missing()
    return assertionMembers(this.#clientId, text)
  }

  /** An error can have any text, so none of it is kept. */
  async #call (): Promise<unknown> {
    try {
      return await this.#provide()
    } catch {
      return undefined
    }
  }
}

function missing (): UnavailableError {
  return unavailable('assertion_missing')
}
