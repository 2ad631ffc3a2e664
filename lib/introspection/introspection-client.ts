import type { Cancellation } from '../keycloak/cancellation.js'
import { CircuitBreaker } from '../keycloak/circuit-breaker.js'
import { asClient, type ClientAuthentication } from '../keycloak/client-authentication.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { UnavailableError } from '../errors.js'
import type { Deadline } from '../util/deadline.js'

export interface IntrospectionClientOptions {
  authentication: ClientAuthentication
  /** Bytes of a response. */
  maxBytes: number
}

/** One question to Keycloak about a token. */
export interface IntrospectionRequest {
  token: string
  /** For the whole: the credentials, and both calls if the first one is refused for it. */
  deadline: Deadline
  cancellation?: Cancellation
  /** Milliseconds that it waited for a connection. */
  waited: number
}

const PATH = '/protocol/openid-connect/token/introspect'

/** The introspection endpoint of Keycloak (RFC 7662), asked as this API's client, by way of a circuit breaker. */
export class IntrospectionClient<Result> {
  readonly #options: IntrospectionClientOptions
  readonly #client: KeycloakClient
  readonly #breaker = new CircuitBreaker()
  readonly #read: (token: string, text: string) => Result

  /** @param read reads the text of a response; a response that it cannot read is a failure, so it throws an UnavailableError */
  constructor (options: IntrospectionClientOptions, client: KeycloakClient, read: (token: string, text: string) => Result) {
    this.#options = options
    this.#client = client
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
    return asClient(this.#options.authentication, request.deadline, async (credentials) => {
      this.#breaker.admit()
      try {
        const result = await this.#call(request, credentials)
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
    return asClient(this.#options.authentication, request.deadline, (credentials) => this.#call(request, credentials))
  }

  async #call ({ token, deadline, cancellation, waited }: IntrospectionRequest, credentials: string): Promise<Result | UnavailableError> {
    // A token has no character that would have to be escaped.
    const form = `${credentials}&token_type_hint=access_token&token=${token}`
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
}
