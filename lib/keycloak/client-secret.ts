import type { ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'
import { Provided } from './provided.js'
import type { Deadline } from '../util/deadline.js'

/** The source of the client's secret. A function is called once, and again when Keycloak refuses its secret. */
export type SecretSource = string | (() => string | Promise<string>)

/** client_secret_post: the credentials go as form members, because raw HTTP Basic breaks on `%` and `+` in a secret. */
export class ClientSecret implements ClientAuthentication {
  readonly #fixed: string | undefined
  readonly #provided: Provided<string> | undefined

  constructor (clientId: string, source: SecretSource, closing: Closing) {
    // The members are written only when the secret changes.
    const membersOf = (secret: string): string => new URLSearchParams({ client_id: clientId, client_secret: secret }).toString()
    if (typeof source === 'string') this.#fixed = membersOf(source)
    else {
      this.#provided = new Provided({
        provide: source,
        read: (secret) => typeof secret === 'string' && secret !== '' ? membersOf(secret) : undefined,
        isSame: (a, b) => a === b,
        missing: 'secret_missing',
        closing
      })
    }
  }

  get current (): string | undefined {
    return this.#fixed ?? this.#provided!.current
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the function throws, gives no secret, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<string> {
    return this.#fixed ?? this.#provided!.get(deadline)
  }

  /** @returns `undefined` if there is no other secret, or if the function was called a moment ago */
  async other (refused: string, deadline: Deadline): Promise<string | undefined> {
    return this.#provided?.other(refused, deadline)
  }
}
