import type { ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'
import type { Deadline } from '../util/deadline.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { withDeadline } from '../util/with-timeout.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** The source of the client's secret. A function is called once, and again when Keycloak refuses its secret. */
export type SecretSource = string | (() => string | Promise<string>)

/** Least time between two questions, in milliseconds, so that a wrong secret does not become a flood at its source. */
const ASK_AGAIN = 1000

/** client_secret_post: the credentials go as form members, because raw HTTP Basic breaks on `%` and `+` in a secret. */
export class ClientSecret implements ClientAuthentication {
  readonly #clientId: string
  readonly #source: SecretSource
  readonly #closing: Closing
  #current: string | Promise<string> | undefined
  #askedAt = -Infinity

  constructor (clientId: string, source: SecretSource, closing: Closing) {
    this.#clientId = clientId
    this.#source = source
    this.#closing = closing
    if (typeof source === 'string') this.#current = this.#membersOf(source)
  }

  get current (): string | undefined {
    return typeof this.#current === 'string' ? this.#current : undefined
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the function throws, gives no secret, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<string> {
    const current = this.#current ?? this.#ask()
    return typeof current === 'string' ? current : this.#closing.until(withDeadline(current, deadline, () => this.#failed(current)))
  }

  /** @returns `undefined` if there is no other secret, or if the function was called a moment ago */
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
      const members = this.#membersOf(secret)
      this.#current = members
      return members
    }).catch(() => { throw this.#failed(asked) })
    this.#current = asked
    return asked
  }

  /** The members are written only when the secret changes. */
  #membersOf (secret: string): string {
    return new URLSearchParams({ client_id: this.#clientId, client_secret: secret }).toString()
  }

  #failed (asked: Promise<string>): UnavailableError {
    if (this.#current === asked) this.#current = undefined
    return noSecret()
  }
}

function noSecret (): UnavailableError {
  return unavailable('secret_missing')
}
