import type { RevocationHealth } from '../../types/instance.js'
import type { AccessTokenClaims } from '../../types/user.js'
import { unavailable } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import type { RealmSettings } from '../options/options.js'
import type { IssuerRevocations, RevocationListener } from './issuer-revocations.js'
import type { RevocationList } from './revocation-list.js'
import type { StoreSync } from './store-sync.js'

/** The use of the logouts and not-before dates of an issuer by its realm: `check` refuses their tokens. */
export class RealmRevocation {
  readonly #issuer: IssuerRevocations
  readonly #list: RevocationList
  readonly #sync: StoreSync | undefined
  readonly #isIntrospected: boolean
  #leave: (() => void) | undefined

  /** @param onClose called once */
  constructor (issuer: IssuerRevocations, settings: RealmSettings, keys: KeySource, onClose: () => void) {
    const leave = issuer.enter(settings, { source: keys, cooldown: settings.jwks.cooldown })
    this.#issuer = issuer
    this.#leave = () => {
      onClose()
      leave()
    }
    this.#list = issuer.list
    this.#sync = issuer.sync
    this.#isIntrospected = settings.verifyTokensWithKeycloak
  }

  /**
   * Looks into memory alone.
   * @throws {KeycloakError} token_not_valid; keycloak_unavailable when the store was not heard of within `revocation.maxLag`
   */
  check (claims: AccessTokenClaims): void {
    this.#list.check(claims, this.#isIntrospected)
    if (this.#sync !== undefined && !this.#sync.ok) throw unavailable('revocations_unheard')
  }

  /**
   * Hear of each revocation that is taken in from now on, pushed here or read from the store; of some more than once. The number of
   * listeners is the caller's to bound.
   * @returns ends it
   */
  onRevoked (listener: RevocationListener): () => void {
    return this.#issuer.onRevoked(listener)
  }

  health (): RevocationHealth {
    const lag = this.#sync?.lag ?? null
    return {
      ok: this.#sync?.ok ?? true,
      entries: this.#list.inForce,
      notBefore: this.#list.notBefore,
      lag: lag === null ? null : Math.round(lag)
    }
  }

  /** Follow the store, and wait for a short time until it has been read. */
  async start (): Promise<void> {
    await this.#sync?.start()
  }

  /** The realm ends. What was revoked is remembered for the next one of the issuer. May be called again. */
  close (): void {
    this.#leave?.()
    this.#leave = undefined
  }
}
