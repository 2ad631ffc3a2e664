import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { RevocationHealth } from '../../types/instance.js'
import type { Revocation } from '../../types/revocation.js'
import type { AccessTokenClaims } from '../../types/user.js'
import type { Closing } from '../keycloak/closing.js'
import { unavailable } from '../errors.js'
import type { Keys } from '../keys/key-source.js'
import type { Settings } from '../options/options.js'
import type { Order } from './push.js'
import { KeySearch } from './key-search.js'
import { Once } from './replay-guard.js'
import { Patience } from './patience.js'
import { pushRoutes } from './route-table.js'
import { Revocations } from './revocation-list.js'
import { addCallRoute } from './push-routes.js'
import { Spread } from './store-sync.js'
import { WaitingRoom } from './waiting-room.js'
import { Warnings } from '../diagnostics/rate-limited-log.js'

export interface RealmRevocationOptions {
  settings: Settings
  revocation: NonNullable<Settings['revocation']>
  keys: Keys
  closing: Closing
  log: FastifyBaseLogger
}

/** Logouts and not-before dates of one realm: Keycloak pushes them, the store spreads them, `check` refuses their tokens. */
export class RealmRevocation {
  readonly #options: RealmRevocationOptions
  /** Seconds by which the dates of a push may be off. */
  readonly #skew: number
  readonly #warnings: Warnings
  readonly #list: Revocations
  readonly #replayGuard: Once
  readonly #memory = new WaitingRoom()
  readonly #lookup: KeySearch
  readonly #sync: Spread | undefined

  constructor (options: RealmRevocationOptions) {
    const { settings, revocation, keys, log } = options
    this.#options = options
    this.#skew = Math.max(settings.leeway, revocation.leeway)
    this.#warnings = new Warnings(log)
    this.#replayGuard = new Once(revocation.max)
    this.#list = new Revocations({
      maxTokenLifetime: revocation.maxTokenLifetime,
      leeway: settings.leeway,
      max: revocation.max,
      introspected: settings.verifyTokensWithKeycloak,
      onFull: () => this.#warnings.write('memory', 'revocation.max sessions and users are remembered: all tokens older than the oldest of them are refused from now on')
    })
    this.#lookup = new KeySearch(keys, this.#memory, settings.jwks.cooldown)
    this.#sync = revocation.store && this.#createSync(revocation.store)
  }

  /**
   * Looks into memory alone.
   * @throws {KeycloakError} token_not_valid; keycloak_unavailable when the store was not heard of within `revocation.maxLag`
   */
  check (claims: AccessTokenClaims): void {
    this.#list.check(claims)
    if (this.#sync !== undefined && !this.#sync.ok) throw unavailable('the store of revocations was not heard of for more than revocation.maxLag')
  }

  health (): RevocationHealth {
    const lag = this.#sync?.lag ?? null
    return {
      ok: this.#sync?.ok ?? true,
      entries: this.#list.size,
      notBefore: this.#list.notBefore,
      lag: lag === null ? null : Math.round(lag)
    }
  }

  /** Add the routes that Keycloak calls, and follow the store until the API closes. */
  async start (fastify: FastifyInstance): Promise<void> {
    const { settings, closing, log } = this.#options
    fastify.addHook('preClose', async () => { this.#lookup.close() })
    fastify.addHook('onClose', async () => this.close())
    const [room, warnings] = [this.#memory, this.#warnings]
    const carryOut = (order: Order) => this.#carryOut(order)
    const receiving = { search: this.#lookup, room, once: this.#replayGuard, carryOut, log, warnings }
    const common = { room, patience: new Patience(), warnings, closing }
    for (const route of pushRoutes(settings, this.#skew, receiving)) await addCallRoute(fastify, route, common)
    await this.#sync?.start()
  }

  /** Follow the store no longer. */
  async close (): Promise<void> {
    await this.#sync?.close()
  }

  #createSync (store: NonNullable<RealmRevocationOptions['revocation']['store']>): Spread {
    const { settings: { issuer, leeway }, revocation: { maxTokenLifetime, maxLag }, log, closing } = this.#options
    return new Spread({
      store,
      issuer,
      maxLag,
      lifetime: maxTokenLifetime + leeway,
      current: () => this.#list.current(),
      holds: (revocation) => this.#list.holds(revocation),
      take: (revocation) => this.#takeFromStore(revocation),
      log,
      warnings: this.#warnings,
      closing
    })
  }

  /** Here first, so that a store that fails opens nothing. */
  async #carryOut ({ revocations }: Order): Promise<void> {
    for (const revocation of revocations) this.#list.take(revocation)
    const sync = this.#sync
    if (sync !== undefined) await Promise.all(revocations.map((revocation) => sync.publish(revocation)))
  }

  #takeFromStore (revocation: Revocation): void {
    this.#list.take(revocation)
    if (revocation.call !== undefined) this.#replayGuard.take(revocation.call.id, revocation.call.until + this.#skew)
  }
}
