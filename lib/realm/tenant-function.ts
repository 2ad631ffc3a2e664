import type { FastifyBaseLogger } from 'fastify'
import { RateLimit } from '../diagnostics/rate-limit.js'
import { codeOf, unavailable, type UnavailableError } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import { Deadline } from '../util/deadline.js'
import { kindOf } from '../util/kind-of.js'
import { memberOf } from '../util/members.js'
import { shown } from '../util/shown.js'
import { isObject } from '../util/strict-json.js'
import { withDeadline } from '../util/with-timeout.js'

/** The members of a realm's settings that are checked here. */
export interface TenantSettings {
  readonly issuer: string
  readonly name: string
}

export interface TenantFunctionOptions<Settings extends TenantSettings> {
  /** The function of the application. */
  find: (iss: string) => unknown
  /**
   * The settings of an entry that the function returned.
   * @throws {TypeError} with the sentence about a wrong option
   */
  parse: (entry: object) => Settings
  closing: Closing
  log: FastifyBaseLogger
  /** Milliseconds for one call. */
  timeout: number
}

/** The begin of this package's own sentences. */
const OURS = 'fastify-keycloak-bearer: '

const CONSEQUENCE = 'tokens of this issuer are 503, and the function is called again a second later'

/** The result of a call that has come to an end. */
interface Outcome {
  hasThrown: boolean
  value: unknown
}

/** The function `issuers` of the application, which can throw, hang and return anything. */
export class TenantFunction<Settings extends TenantSettings> {
  readonly #options: TenantFunctionOptions<Settings>
  readonly #calls = new Map<string, Promise<Settings | null>>()
  readonly #warning = new RateLimit()

  constructor (options: TenantFunctionOptions<Settings>) {
    this.#options = options
  }

  /**
   * The settings of an issuer; `null` if the function does not know it. One call for all who ask at once.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async ask (iss: string): Promise<Settings | null> {
    const underWay = this.#calls.get(iss)
    if (underWay !== undefined) return underWay
    const call = this.#call(iss).finally(() => this.#calls.delete(iss))
    this.#calls.set(iss, call)
    return call
  }

  /** Nobody who asks from now on gets the answer of a call that is under way. */
  forget (iss: string): void {
    this.#calls.delete(iss)
  }

  /**
   * The refusal of tokens for a fault of the function, with a warning now and then.
   * @param sentence nothing that a stranger sent
   * @param iss the issuer of an entry, which the function vouches for
   */
  failed (sentence: string, iss?: string): UnavailableError {
    if (this.#warning.allows(sentence)) {
      this.#options.log.warn({ reasonCode: 'issuers_failed', ...(shown(iss) !== undefined && { iss }) }, `${sentence}; ${CONSEQUENCE}`)
    }
    return unavailable('issuers_failed', 'local')
  }

  async #call (iss: string): Promise<Settings | null> {
    const { find, closing, timeout } = this.#options
    const deadline = new Deadline(timeout)
    // A function that is not asynchronous may throw at once, and one that returns a promise of a promise is well understood.
    const outcome = (async () => find(iss))().then((value): Outcome => ({ hasThrown: false, value }), (value): Outcome => ({ hasThrown: true, value }))
    const late = (): Error => this.failed(`the function issuers has not answered within ${timeout} ms`)
    const { hasThrown, value } = await closing.until(withDeadline(outcome, deadline, late)).finally(() => deadline.clear())
    if (hasThrown) throw this.failed(`the function issuers threw ${codeIn(value)}`)
    return value === null ? null : this.#settingsOf(value, iss)
  }

  #settingsOf (entry: unknown, iss: string): Settings {
    if (!isObject(entry)) throw this.failed(`the function issuers returned ${kindOf(entry)}, and neither an entry nor null`)
    const settings = this.#parse(entry, iss)
    if (settings.issuer !== iss) throw this.failed('the function issuers returned an entry of another issuer than it was asked about')
    return settings
  }

  #parse (entry: object, iss: string): Settings {
    let issuer: unknown
    try {
      issuer = memberOf(entry, 'issuer')
      return this.#options.parse(entry)
    } catch (error) {
      throw this.failed(`the function issuers returned a wrong entry: ${causeOf(error)}`, issuer === iss ? iss : undefined)
    }
  }
}

/** The sentence of an error of this package. Of any other, such as one of a getter of the entry, the code alone is safe. */
export function causeOf (error: unknown): string {
  const isOurs = error instanceof Error && String(error.message).startsWith(OURS)
  return isOurs ? error.message.slice(OURS.length) : codeIn(error)
}

/** The code of an error, which may be any value. */
function codeIn (error: unknown): string {
  try {
    return codeOf(error) ?? 'an error without a code'
  } catch {
    return 'an error without a code'
  }
}
