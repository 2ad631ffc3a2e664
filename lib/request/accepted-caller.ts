import type { FastifyReply, FastifyRequest } from 'fastify'
import { refusal } from '../errors.js'
import type { Waiting } from '../keycloak/cancellation.js'
import type { RealmDirectory } from '../realm/directory.js'
import type { Identity } from '../token/identity.js'
import { type AcceptedRequest, endOf, IDENTITY, REPLY } from './auth-signals.js'
import { presentedToken } from './presented-token.js'
import { whenGone } from './requests-gone.js'

/** The caller of a request whose token was accepted. */
export class AcceptedCaller {
  readonly identity: Identity
  readonly token: string
  readonly #directory: Pick<RealmDirectory, 'isOpen'>
  readonly #reply: FastifyReply

  /** @throws {KeycloakError} not_authenticated for an anonymous request */
  constructor (request: FastifyRequest, directory: Pick<RealmDirectory, 'isOpen'>) {
    const { [IDENTITY]: identity, [REPLY]: reply } = request as AcceptedRequest
    // The token stays where it came: the identity lives longer than the request.
    const token = identity === undefined ? undefined : presentedToken(request)
    if (token === undefined) throw refusal('not_authenticated', 'token_missing')
    this.identity = identity!
    this.token = token
    this.#directory = directory
    this.#reply = reply!
  }

  /**
   * Is the token still good? Keycloak is not asked.
   * @throws {KeycloakError} token_not_valid, token_expired
   */
  check (): void {
    const ended = endOf(this.identity, this.#directory)
    if (ended !== undefined) throw ended
  }

  /** Makes a call that may end when the request is over. */
  async whileThere<Result> (call: (waiting: Waiting) => Result | Promise<Result>): Promise<Result> {
    let stop = (): void => {}
    try {
      return await call({ onGone: (listener) => { stop = whenGone(this.#reply, listener) } })
    } finally {
      stop()
    }
  }
}
