import { unavailable, type UnavailableError } from '../errors.js'

/** A question to the function `issuers`, for all requests that wait for its answer. */
export class TenantQuestion<Answer> {
  readonly iss: string
  readonly answer: Promise<Answer>
  resolve!: (answer: Answer) => void
  reject!: (error: Error) => void
  /** Requests that wait. */
  waiting = 1
  /** Called when the question is asked, or is not to be asked any more. */
  onLeft!: () => void

  constructor (iss: string) {
    this.iss = iss
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

/**
 * Questions that are asked or wait to be asked, of a bounded number of requests. If there are too many, the question of one
 * request alone that has waited the longest gives way, and questions of several requests are asked first: the clients of a
 * tenant repeat its issuer, while a flood of made-up issuers names each of them once.
 */
export class TenantLine<Answer> {
  readonly #max: number
  readonly #alone = new Map<string, TenantQuestion<Answer>>()
  readonly #together = new Map<string, TenantQuestion<Answer>>()
  readonly #asked = new Map<string, TenantQuestion<Answer>>()
  #size = 0

  /** @param max requests that wait */
  constructor (max: number) {
    this.#max = max
  }

  /** Does no question wait to be asked? */
  get isEmpty (): boolean {
    return this.#alone.size + this.#together.size === 0
  }

  /**
   * A request waits for the answer about an issuer.
   * @param onNew called with a question that nobody waited for before
   * @throws {KeycloakError} keycloak_unavailable if there is no room
   */
  join (iss: string, onNew: (question: TenantQuestion<Answer>) => void): TenantQuestion<Answer> {
    if (this.#size >= this.#max) this.#makeRoom(iss)
    this.#size++
    const joined = this.#asked.get(iss) ?? this.#together.get(iss) ?? this.#alone.get(iss)
    if (joined === undefined) return this.#add(new TenantQuestion(iss), onNew)
    joined.waiting++
    if (this.#alone.delete(iss)) this.#together.set(iss, joined)
    return joined
  }

  /** The question to ask now, if one waits. */
  next (): TenantQuestion<Answer> | undefined {
    const question: TenantQuestion<Answer> | undefined = this.#together.values().next().value ?? this.#alone.values().next().value
    if (question === undefined) return undefined
    this.#leave(question)
    this.#asked.set(question.iss, question)
    return question
  }

  /** A question was answered. */
  answered (question: TenantQuestion<Answer>): void {
    this.#asked.delete(question.iss)
    this.#size -= question.waiting
  }

  /** A question that waits is not to be asked. */
  refuse (question: TenantQuestion<Answer>, error: UnavailableError): void {
    this.#leave(question)
    this.#size -= question.waiting
    question.reject(error)
  }

  #add (question: TenantQuestion<Answer>, onNew: (question: TenantQuestion<Answer>) => void): TenantQuestion<Answer> {
    this.#alone.set(question.iss, question)
    onNew(question)
    return question
  }

  #leave (question: TenantQuestion<Answer>): void {
    this.#alone.delete(question.iss)
    this.#together.delete(question.iss)
    question.onLeft()
  }

  #makeRoom (iss: string): void {
    for (const [other, question] of this.#alone) {
      if (other !== iss) return this.refuse(question, unavailable('issuers_busy', 'local'))
    }
    throw unavailable('issuers_busy', 'local')
  }
}
