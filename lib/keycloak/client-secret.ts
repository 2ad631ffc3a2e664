import type { Closing } from './closing.js'
import type { Deadline } from '../util/deadline.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { withDeadline } from '../util/with-timeout.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** The source of the client's secret. A function is called once, and again when Keycloak refuses its secret. */
export type SecretSource = string | (() => string | Promise<string>)

/** Least time between two questions, in milliseconds, so that a wrong secret does not become a flood at its source. */
const ASK_AGAIN = 1000

export class ClientSecret {
  readonly #source: SecretSource
  readonly #closing: Closing
  #current: string | Promise<string> | undefined
  #askedAt = -Infinity

  constructor (source: SecretSource, closing: Closing) {
    this.#source = source
    this.#closing = closing
    if (typeof source === 'string') this.#current = source
  }

  /** The one at hand, if there is one. */
  get current (): string | undefined {
    return typeof this.#current === 'string' ? this.#current : undefined
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when it throws, gives no secret, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<string> {
    const current = this.#current ?? this.#ask()
    return typeof current === 'string' ? current : this.#closing.until(withDeadline(current, deadline, () => this.#failed(current)))
  }

  /**
   * Keycloak refused this secret: is there another one now?
   * @returns `undefined` if there is none, or if the function was called a moment ago
   */
  async other (refused: string, deadline: Deadline): Promise<string | undefined> {
    let current = await this.get(deadline)
    if (current === refused && typeof this.#source === 'function' && monotonicMilliseconds() - this.#askedAt >= ASK_AGAIN) {
      void this.#ask()
      current = await this.get(deadline)
    }
    return current === refused ? undefined : current
  }

  /** A secret is kept. If the function fails or takes too long, the next request calls it again. */
  #ask (): Promise<string> {
    this.#askedAt = monotonicMilliseconds()
    const asked: Promise<string> = (async () => (this.#source as () => unknown)())().then((secret) => {
      if (typeof secret !== 'string' || secret === '') throw noSecret()
      this.#current = secret
      return secret
    }).catch(() => { throw this.#failed(asked) })
    this.#current = asked
    return asked
  }

  #failed (asked: Promise<string>): UnavailableError {
    if (this.#current === asked) this.#current = undefined
    return noSecret()
  }
}

function noSecret (): UnavailableError {
  return unavailable('secret_missing')
}
