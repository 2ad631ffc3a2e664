import type { Cancellation } from '../keycloak/cancellation.js'
import { CircuitBreaker } from '../keycloak/circuit-breaker.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { ClientSecret, type SecretSource } from '../keycloak/client-secret.js'
import { UnavailableError } from '../errors.js'
import type { Deadline } from '../util/deadline.js'

export interface IntrospectionClientOptions {
  /** The client that asks. */
  clientId: string
  clientSecret: SecretSource
  /** Bytes of a response. */
  maxBytes: number
}

/** One question to Keycloak about a token. */
export interface IntrospectionRequest {
  token: string
  /** For the whole: the secret, and both calls if the first one is refused for it. */
  deadline: Deadline
  cancellation?: Cancellation
  /** Milliseconds that it waited for a connection. */
  waited: number
}

const PATH = '/protocol/openid-connect/token/introspect'

/** The introspection endpoint of Keycloak (RFC 7662), asked as a client with its secret, by way of a circuit breaker. */
export class IntrospectionClient<Result> {
  readonly #options: IntrospectionClientOptions
  readonly #client: KeycloakClient
  readonly #secret: ClientSecret
  readonly #breaker = new CircuitBreaker()
  readonly #read: (token: string, text: string) => Result
  #written = { secret: '', form: '' }

  /** @param read reads the text of a response; a response that it cannot read is a failure, so it throws an UnavailableError */
  constructor (options: IntrospectionClientOptions, client: KeycloakClient, read: (token: string, text: string) => Result) {
    this.#options = options
    this.#client = client
    this.#secret = new ClientSecret(options.clientSecret, client.closing)
    this.#read = read
  }

  get breaker (): 'open' | 'closed' {
    return this.#breaker.open ? 'open' : 'closed'
  }

  /**
   * Before a request that has to wait, which would only find out later.
   * @throws {KeycloakError} keycloak_unavailable, at once while Keycloak is known to be away
   */
  mustBeReachable (): void {
    this.#breaker.mustBeClosed()
  }

  /**
   * @returns the response as it was read, or an error if Keycloak refuses the token and not this client
   * @throws {KeycloakError} keycloak_unavailable
   */
  async ask (request: IntrospectionRequest): Promise<Result | UnavailableError> {
    return this.#withSecret(request, async (secret) => {
      this.#breaker.admit()
      try {
        const result = await this.#call(request, secret)
        this.#breaker.succeeded()
        return result
      } catch (error) {
        this.#breaker.failed(error as UnavailableError)
        throw error
      }
    })
  }

  /** The same, which the circuit breaker neither holds up nor counts. */
  async probe (request: IntrospectionRequest): Promise<Result | UnavailableError> {
    return this.#withSecret(request, (secret) => this.#call(request, secret))
  }

  /** A secret that was changed at Keycloak is refused once, and then the new one is used. */
  async #withSecret<T> ({ deadline }: IntrospectionRequest, ask: (secret: string) => Promise<T>): Promise<T> {
    const secret = this.#secret.current ?? await this.#secret.get(deadline)
    try {
      return await ask(secret)
    } catch (error) {
      const other = (error as UnavailableError).responseStatus === 401 ? await this.#secret.other(secret, deadline) : undefined
      if (other === undefined) throw error
      return ask(other)
    }
  }

  async #call ({ token, deadline, cancellation, waited }: IntrospectionRequest, secret: string): Promise<Result | UnavailableError> {
    const form = this.#form(secret, token)
    const { maxBytes } = this.#options
    let text: string
    try {
      text = await this.#client.fetchText({ method: 'POST', path: PATH, form, timeout: deadline, maxBytes, cancellation, waited })
    } catch (error) {
      if (error instanceof UnavailableError && error.reasonCode === 'question_refused') return error
      throw error
    }
    return this.#read(token, text)
  }

  /**
   * The credentials go as form members: raw HTTP Basic breaks on `%` and `+` in a secret. They are written anew only when
   * the secret changes; a token has no character that would have to be escaped.
   */
  #form (secret: string, token: string): string {
    if (secret !== this.#written.secret) {
      const members = { client_id: this.#options.clientId, client_secret: secret, token_type_hint: 'access_token' }
      this.#written = { secret, form: `${new URLSearchParams(members)}&token=` }
    }
    return this.#written.form + token
  }
}
