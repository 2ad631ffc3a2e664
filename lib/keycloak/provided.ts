import type { Closing } from './closing.js'
import type { Deadline } from '../util/deadline.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { withDeadline } from '../util/with-timeout.js'
import { monotonicMilliseconds } from '../util/clock.js'
import type { PlainReasonCode } from '../reasons/reason.js'

/** Least time between two questions about a value that Keycloak refuses, in milliseconds, so that they do not become a flood at its source. */
const ASK_AGAIN = 1000

/** Least time between two questions about a value that may be old, in milliseconds. */
const REFRESH_AGAIN = 60_000

export interface ProvidedOptions<Value> {
  /** A function of the application. */
  provide: () => unknown
  /** @returns `undefined` for a result that is none */
  read: (result: unknown) => Value | undefined
  isSame: (a: Value, b: Value) => boolean
  /** The reason when the function throws, returns no value, or takes too long. */
  missing: PlainReasonCode
  closing: Closing
}

/** A value that a function of the application returns: a secret, a key, a certificate. It is called once, and again when Keycloak refuses the value. */
export class Provided<Value extends string | object> {
  readonly #options: ProvidedOptions<Value>
  #current: Value | Promise<Value> | undefined
  /** The value before the question that is under way, which stays if the question fails: it may still be good. */
  #former: Value | undefined
  #askedAt = -Infinity
  #isRefreshing = false

  constructor (options: ProvidedOptions<Value>) {
    this.#options = options
  }

  /** The value, if it is at hand. */
  get current (): Value | undefined {
    return this.#current instanceof Promise ? undefined : this.#current
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the function throws, gives no value, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<Value> {
    const current = this.#current ?? this.#ask()
    return current instanceof Promise ? this.#options.closing.until(withDeadline(current, deadline, () => this.#failed(current))) : current
  }

  /**
   * Keycloak refused this value.
   * @returns `undefined` if there is no other value, or if the function was called a moment ago
   */
  async other (refused: Value, deadline: Deadline): Promise<Value | undefined> {
    const { isSame } = this.#options
    let current = await this.get(deadline)
    if (isSame(current, refused) && monotonicMilliseconds() - this.#askedAt >= ASK_AGAIN) {
      void this.#ask()
      current = await this.get(deadline)
    }
    return isSame(current, refused) ? undefined : current
  }

  /** Call the function in the background. The value stays if that fails. */
  refresh (): void {
    const current = this.#current
    if (this.#isRefreshing || monotonicMilliseconds() - this.#askedAt < REFRESH_AGAIN) return
    this.#isRefreshing = true
    void this.#call().then((value) => {
      if (this.#current === current && !this.#options.isSame(value, current as Value)) this.#current = value
    }, () => {}).finally(() => { this.#isRefreshing = false })
  }

  /** A value is kept. If the function fails or takes too long, the former value stays; without one the next request calls it again. */
  #ask (): Promise<Value> {
    const before = this.current
    const asked: Promise<Value> = this.#call().then((value) => {
      // The same value stays the same object.
      const current = before !== undefined && this.#options.isSame(value, before) ? before : value
      this.#current = current
      return current
    }).catch(() => { throw this.#failed(asked) })
    this.#former = before
    this.#current = asked
    return asked
  }

  async #call (): Promise<Value> {
    this.#askedAt = monotonicMilliseconds()
    const { provide, read } = this.#options
    const value = read(await provide())
    if (value === undefined) throw this.#missing()
    return value
  }

  #failed (asked: Promise<Value>): UnavailableError {
    if (this.#current === asked) this.#current = this.#former
    return this.#missing()
  }

  #missing (): UnavailableError {
    return unavailable(this.#options.missing)
  }
}
