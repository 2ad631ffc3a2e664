import type { OutboundHealth } from '../../types/instance.js'
import { unavailable } from '../errors.js'
import type { ClientAuthentication } from '../keycloak/client-authentication.js'
import type { RealmSettings } from '../options/options.js'
import type { Outbound } from '../outbound/outbound.js'
import type { SharedByRealms } from './shared.js'

export interface RealmOutboundOptions extends Pick<SharedByRealms, 'limits' | 'closing' | 'log'> {
  settings: RealmSettings
  authentication: ClientAuthentication | undefined
}

/** The realm's tokens for other services, loaded when the first one is asked for. */
export class RealmOutbound {
  readonly #options: RealmOutboundOptions
  #loaded: Outbound | undefined
  #closed = false

  constructor (options: RealmOutboundOptions) {
    this.#options = options
  }

  /** `undefined` until the first is asked for. */
  get loaded (): Outbound | undefined {
    return this.#loaded
  }

  /**
   * @throws {TypeError} if the options have no credentials of the API's client
   * @throws {KeycloakError} keycloak_unavailable
   */
  async load (): Promise<Outbound> {
    const { authentication } = this.#options
    if (authentication === undefined) throw new TypeError('a token for another service needs the credentials of this API\'s client: give the option clientSecret, clientAssertion or clientCertificate')
    const { Outbound } = await import('../outbound/outbound.js')
    if (this.#closed) throw unavailable('api_closed', 'local')
    this.#loaded ??= new Outbound({ ...this.#options, authentication })
    return this.#loaded
  }

  /** `null` until the first is asked for. */
  health (): OutboundHealth | null {
    return this.#loaded?.health() ?? null
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#loaded?.close()
  }
}
