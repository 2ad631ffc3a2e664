import { KeycloakError, UnavailableError } from '../errors.js'
import { Cancellation, type Waiting } from '../keycloak/cancellation.js'
import type { TokenEndpoint, TokenReply } from '../keycloak/token-endpoint.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { outsideRequests } from '../util/outside-requests.js'
import { KeptToken, momentOfNow } from './kept-token.js'
import { KeptTokens, type KeptTokensBounds } from './kept-tokens.js'
import type { IssuedToken } from './token-answer.js'

/** A question for a token. */
export interface TokenQuestion {
  /** Two questions with one key have one answer. */
  readonly key: string
  /** Who gets a fair share of the connections. */
  readonly caller: unknown
  /** The form of the call. */
  readonly form: () => string
  /** Reads the answer. */
  readonly read: (reply: TokenReply) => IssuedToken
}

export interface TokenSourceOptions extends KeptTokensBounds {
  endpoint: Pick<TokenEndpoint, 'call'>
  /** Milliseconds of a call. */
  timeout: number
}

/** A call under way. */
interface Call {
  readonly token: Promise<string>
  readonly cancellation: Cancellation
}

/** A token that is younger than so many seconds is not asked for anew because a service refuses it. */
const YOUNG = 5

/** Gives tokens: a kept one, or one by a call, which all share that ask for the same meanwhile. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #kept: KeptTokens
  readonly #calls = new Map<string, Call>()

  constructor (options: TokenSourceOptions) {
    this.#options = options
    this.#kept = new KeptTokens(options)
  }

  /**
   * @param waiting tells when nobody waits for the token any more; without, somebody does until the end of the call
   * @throws {KeycloakError} keycloak_unavailable, and the errors of the question's `read`
   */
  get (question: TokenQuestion, waiting: Waiting | undefined): MaybePromise<string> {
    const kept = this.#kept.find(question.key)
    switch (kept?.age) {
      case 'fresh': return kept.token
      case 'due': return this.#renewed(kept, question)
      case 'late': return kept.hasFailed ? this.#renewed(kept, question) : this.#nextOr(kept, question, waiting)
      default: return this.#next(question, waiting)
    }
  }

  /**
   * Another token in place of one that a service refuses. That one stays until there is another, because one service may err.
   * @returns `undefined` if there is none, because that one is new, or the next one could not be had a moment ago
   */
  other (refused: string, question: TokenQuestion, waiting: Waiting | undefined): MaybePromise<string> | undefined {
    const kept = this.#kept.find(question.key)
    if (kept?.token !== refused) return this.get(question, waiting)
    return kept.seconds < YOUNG || !kept.mayRenew ? undefined : this.#after(kept, question, waiting)
  }

  /** Forgets all tokens. */
  close (): void {
    this.#kept.close()
  }

  /** A kept token, while the next one is asked for in the background. */
  #renewed (kept: KeptToken, question: TokenQuestion): string {
    if (kept.mayRenew && !this.#calls.has(question.key)) {
      const { token, cancellation } = outsideRequests(() => this.#call(question))
      cancellation.join(undefined)
      token.catch(() => kept.failed())
    }
    return kept.token
  }

  /** The next token, or the kept one if Keycloak cannot give one now. */
  async #nextOr (kept: KeptToken, question: TokenQuestion, waiting: Waiting | undefined): Promise<string> {
    try {
      return await this.#after(kept, question, waiting)
    } catch (error) {
      if (!(error instanceof UnavailableError) || kept.age === 'over') throw error
      return kept.token
    }
  }

  /** The next token, without which the kept one has failed. */
  async #after (kept: KeptToken, question: TokenQuestion, waiting: Waiting | undefined): Promise<string> {
    try {
      return await this.#next(question, waiting)
    } catch (error) {
      kept.failed()
      throw error
    }
  }

  #next (question: TokenQuestion, waiting: Waiting | undefined): Promise<string> {
    const underWay = this.#calls.get(question.key)
    const call = underWay?.cancellation.canBeJoined(this.#options.timeout) === true ? underWay : this.#call(question)
    call.cancellation.join(waiting)
    return call.token
  }

  #call ({ key, caller, form, read }: TokenQuestion): Call {
    const asked = momentOfNow()
    const former = this.#kept.find(key)
    const cancellation = new Cancellation()
    const token = this.#options.endpoint.call({ form: form(), caller, cancellation }, read).then((issued) => {
      if (issued.lifetime === undefined) this.#kept.forget(key, former)
      else this.#kept.keep(key, new KeptToken(issued.token, asked, issued.lifetime))
      return issued.token
    }, (error) => {
      // Keycloak takes back what it gave before. An outage says nothing about it.
      if (error instanceof KeycloakError && !(error instanceof UnavailableError)) this.#kept.forget(key, former)
      throw error
    })
    const call = { token, cancellation }
    this.#calls.set(key, call)
    const end = (): void => { if (this.#calls.get(key) === call) this.#calls.delete(key) }
    token.then(end, end)
    return call
  }
}
