import { unavailable, type UnavailableError } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import { Deadline } from '../util/deadline.js'
import { TenantBudget } from './tenant-budget.js'
import { TenantLine, type TenantQuestion } from './tenant-line.js'
import type { Tenant, TenantRealm } from './tenant.js'

/** Issuers for which the function is called, or the realm is opened and decides on its first tokens, at once. */
const PLACES = 16

/** The places that issuers may have which were never proven: the others are kept free for tenants that return. */
const FOR_STRANGERS = 12

/** Issuers without a valid token that are asked about: so many at once, and so many each second. */
const STRANGERS = { most: 100, perSecond: 10 }

/** Requests that wait, about 8 kB each. */
const WAITING = { known: 5000, strangers: 1000 }

/** Milliseconds that a question may wait to be asked. */
const PATIENCE = 5000

/**
 * The turns of the questions to the function `issuers`. Strangers can name as many issuers as they like: those that have proven
 * to be tenants before have their own line and their own places, and all others share a small number of calls.
 */
export class TenantQueue<R extends TenantRealm> {
  readonly #ask: (iss: string) => Promise<Tenant<R>>
  readonly #closing: Closing
  readonly #known = new TenantLine<Tenant<R>>(WAITING.known)
  readonly #strangers = new TenantLine<Tenant<R>>(WAITING.strangers)
  readonly #budget = new TenantBudget(STRANGERS.most, STRANGERS.perSecond)
  #underWay = 0
  #strangersUnderWay = 0
  #timer: NodeJS.Timeout | undefined

  /** @param ask calls the function, and opens the realm that it gives */
  constructor (ask: (iss: string) => Promise<Tenant<R>>, closing: Closing) {
    this.#ask = ask
    this.#closing = closing
  }

  /**
   * The tenant of an issuer, when it is its turn.
   * @param isKnown was it a tenant before?
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async enter (iss: string, isKnown: boolean): Promise<Tenant<R>> {
    const line = isKnown ? this.#known : this.#strangers
    const { answer } = line.join(iss, (question) => this.#limit(question, line))
    this.#next()
    return answer
  }

  close (): void {
    clearTimeout(this.#timer)
  }

  /** A question waits no longer than a moment, and than the API runs. */
  #limit (question: TenantQuestion<Tenant<R>>, line: TenantLine<Tenant<R>>): void {
    const refuse = (error: UnavailableError): void => line.refuse(question, error)
    const deadline = new Deadline(PATIENCE)
    deadline.onPassed(() => refuse(unavailable('issuers_busy', 'local')))
    question.onLeft = () => {
      deadline.clear()
      this.#closing.delete(refuse)
    }
    this.#closing.add(refuse)
  }

  #next (): void {
    while (this.#underWay < PLACES) {
      const known = this.#known.next()
      const question = known ?? this.#nextStranger()
      if (question === undefined) return
      void (known === undefined ? this.#runStranger(question) : this.#run(question, this.#known)).then(() => this.#next())
    }
  }

  #nextStranger (): TenantQuestion<Tenant<R>> | undefined {
    if (this.#strangers.isEmpty || this.#strangersUnderWay === FOR_STRANGERS) return undefined
    if (this.#budget.take()) return this.#strangers.next()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#next()
    }, this.#budget.wait).unref()
    return undefined
  }

  async #runStranger (question: TenantQuestion<Tenant<R>>): Promise<void> {
    this.#strangersUnderWay++
    if (await this.#run(question, this.#strangers)) this.#budget.giveBack()
    this.#strangersUnderWay--
  }

  /** @returns whether a token of the issuer was accepted; it has its place until that is known */
  async #run (question: TenantQuestion<Tenant<R>>, line: TenantLine<Tenant<R>>): Promise<boolean> {
    this.#underWay++
    const tenant = await this.#ask(question.iss).catch((error: Error) => { question.reject(error) })
    line.answered(question)
    if (tenant !== undefined) {
      question.resolve(tenant)
      await tenant.settled
    }
    this.#underWay--
    return tenant?.isProven === true
  }
}
