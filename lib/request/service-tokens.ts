import { KeycloakError, refusal } from '../errors.js'
import type { Outbound } from '../outbound/outbound.js'
import type { DispatcherTokens } from '../outbound/service-requests.js'
import type { TokenQuestion } from '../outbound/token-source.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { AcceptedCaller } from './accepted-caller.js'

export interface ServiceTokensOptions {
  /** The part of the realm that asks. */
  outbound: () => Promise<Outbound>
  question: (outbound: Outbound) => TokenQuestion
  /** Whose token it is exchanged for; `undefined` for a token of the API itself. */
  caller: AcceptedCaller | undefined
}

/** The tokens for calls to one service: one after the other, as they end. */
export class ServiceTokens implements DispatcherTokens {
  readonly #options: ServiceTokensOptions
  #outbound: Outbound | undefined

  constructor (options: ServiceTokensOptions) {
    this.#options = options
  }

  readonly get = (): Promise<string> => withOwnErrors(async () => {
    const { outbound, question, caller } = this.#options
    caller?.check()
    const asked = this.#outbound = await outbound()
    const wanted = question(asked)
    return this.#checked(caller === undefined ? asked.get(wanted, undefined) : caller.whileThere((waiting) => asked.get(wanted, waiting)))
  })

  /** Another token in place of one that {@link get} gave and a service refuses. */
  readonly other = (refused: string): Promise<string> | undefined => {
    const asked = this.#outbound!
    const other = asked.other(refused, this.#options.question(asked), undefined)
    return other === undefined ? undefined : withOwnErrors(() => this.#checked(other))
  }

  /** The caller may have been logged out meanwhile. */
  async #checked (token: MaybePromise<string>): Promise<string> {
    const given = await token
    this.#options.caller?.check()
    return given
  }
}

/** The token of the caller itself. */
export function tokensOfCaller (caller: AcceptedCaller): DispatcherTokens {
  return {
    get: () => withOwnErrors(async () => {
      caller.check()
      if (caller.identity.binding !== undefined) throw refusal('exchange_refused', 'exchange_bound')
      return caller.token
    }),
    other: undefined
  }
}

/** The error of a refusal is new for each call, because several may share the old one, and because its stack shows the call of this program. */
async function withOwnErrors<Result> (call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof KeycloakError ? new KeycloakError(error.code, () => error) : error
  }
}
