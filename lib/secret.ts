import { setTimeout as delay } from 'node:timers/promises'
import { unavailable } from './errors.js'
import type { Maybe } from './maybe.js'

/** Where the client's secret comes from. A function is asked once, and anew when Keycloak refuses what it gave. */
export type SecretSource = string | (() => string | Promise<string>)

/** Least time between two questions, in milliseconds, so that a wrong secret does not become a flood at its source. */
const ASK_AGAIN = 1000

export class Secret {
  readonly #source: SecretSource
  readonly #timeout: number
  #current: Maybe<string> | undefined
  #askedAt = -Infinity

  /** @param timeout how long the function may take, in milliseconds */
  constructor (source: SecretSource, timeout: number) {
    this.#source = source
    this.#timeout = timeout
    if (typeof source === 'string') this.#current = source
  }

  /** @throws {KeycloakError} keycloak_unavailable when the function throws, or gives no secret */
  get (): Maybe<string> {
    this.#current ??= this.#ask()
    return this.#current
  }

  /**
   * Keycloak refused this secret: is there another one now?
   * @returns `undefined` where there is none, or where it was asked for a moment ago
   */
  async other (refused: string): Promise<string | undefined> {
    let current = await this.get()
    if (current === refused && typeof this.#source === 'function' && performance.now() - this.#askedAt >= ASK_AGAIN) {
      this.#current = this.#ask()
      current = await this.#current
    }
    return current === refused ? undefined : current
  }

  #ask (): Maybe<string> {
    this.#askedAt = performance.now()
    const source = this.#source as () => string | Promise<string>
    const asked = new AbortController()
    return Promise.race([(async () => source())(), delay(this.#timeout, undefined, { signal: asked.signal })])
      .catch(() => undefined)
      .then((secret) => {
        asked.abort()
        if (typeof secret === 'string' && secret !== '') return secret
        // What failed is asked anew by the next request.
        this.#current = undefined
        throw unavailable('the function clientSecret gave no secret')
      })
  }
}
