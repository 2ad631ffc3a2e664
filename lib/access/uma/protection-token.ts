import { unavailable } from '../../errors.js'
import { Cancellation } from '../../keycloak/cancellation.js'
import { refusedBy } from '../../keycloak/refusals.js'
import type { TokenEndpoint, TokenReply } from '../../keycloak/token-endpoint.js'
import { monotonicMilliseconds } from '../../util/clock.js'
import { member, parseObject } from '../../util/strict-json.js'

const FORM = 'grant_type=client_credentials'

/** Levels of the response's JSON. */
const MAX_DEPTH = 4

/** The share of its life for which a token is used, so that none ends on its way. */
const USED = 0.8

interface KeptToken {
  readonly token: string
  /** Milliseconds of the monotonic clock. */
  readonly ends: number
}

/** The access token of this API's own service account, for Keycloak's Protection API (UMA 2.0 Federated Authorization section 1.4). */
export class ProtectionToken {
  readonly #endpoint: TokenEndpoint
  #kept: KeptToken | undefined
  #underWay: Promise<string> | undefined

  constructor (endpoint: TokenEndpoint) {
    this.#endpoint = endpoint
  }

  /** @throws {KeycloakError} keycloak_unavailable */
  async get (): Promise<string> {
    if (this.#kept !== undefined && monotonicMilliseconds() < this.#kept.ends) return this.#kept.token
    this.#underWay ??= this.#ask().finally(() => { this.#underWay = undefined })
    return this.#underWay
  }

  /** The token was refused. */
  forget (token: string): void {
    if (this.#kept?.token === token) this.#kept = undefined
  }

  async #ask (): Promise<string> {
    const began = monotonicMilliseconds()
    const { token, seconds } = await this.#endpoint.call({ form: FORM, caller: this, cancellation: new Cancellation() }, read)
    this.#kept = { token, ends: began + seconds * 1000 * USED }
    return token
  }
}

function read ({ status, body }: TokenReply): { token: string, seconds: number } {
  if (status !== 200) throw refusedBy(status, body)
  const answer = parseObject(body, MAX_DEPTH)
  const token = answer && member(answer, 'access_token')
  const seconds = answer && member(answer, 'expires_in')
  // It goes into a header.
  if (typeof token !== 'string' || !/^[\w.~+/=-]+$/.test(token) || typeof seconds !== 'number') throw unavailable('uma_answer_malformed')
  return { token, seconds }
}
