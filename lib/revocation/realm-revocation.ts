import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { RevocationHealth } from '../../types/instance.js'
import type { Revocation } from '../../types/revocation.js'
import type { AccessTokenClaims } from '../../types/user.js'
import type { Closing } from '../keycloak/closing.js'
import { unavailable } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import type { RealmSettings } from '../options/options.js'
import { KeyLookup } from './key-lookup.js'
import { MemoryBudget } from './memory-budget.js'
import { PendingAnswers } from './pending-answers.js'
import type { PushedRevocation } from './push.js'
import { PushRoute } from './push-routes.js'
import { ReplayGuard } from './replay-guard.js'
import { RevocationList } from './revocation-list.js'
import { pushRoutes } from './route-table.js'
import { SharedLimit } from './shared-limit.js'
import { StoreSync } from './store-sync.js'
import { RateLimitedLog } from '../diagnostics/rate-limited-log.js'

export interface RealmRevocationOptions {
  settings: RealmSettings
  revocation: NonNullable<RealmSettings['revocation']>
  keys: KeySource
  closing: Closing
  log: FastifyBaseLogger
}

/** Called for each revocation that is taken in. It must not throw. */
export type RevocationListener = (revocation: Revocation) => void

/** Logouts and not-before dates of one realm: Keycloak pushes them, the store spreads them, `check` refuses their tokens. */
export class RealmRevocation {
  readonly #options: RealmRevocationOptions
  /** Seconds by which the dates of a push may be off. */
  readonly #skew: number
  readonly #warnings: RateLimitedLog
  readonly #list: RevocationList
  readonly #replayGuard: ReplayGuard
  readonly #budget = new MemoryBudget()
  readonly #lookup: KeyLookup
  readonly #sync: StoreSync | undefined
  readonly #listeners = new Set<RevocationListener>()

  constructor (options: RealmRevocationOptions) {
    const { settings, revocation, keys, log } = options
    this.#options = options
    this.#skew = Math.max(settings.leeway, revocation.leeway)
    this.#warnings = new RateLimitedLog(log)
    this.#replayGuard = new ReplayGuard(new SharedLimit(revocation.max))
    this.#list = new RevocationList({
      maxTokenLifetime: revocation.maxTokenLifetime,
      leeway: settings.leeway,
      limit: new SharedLimit(revocation.max),
      introspected: settings.verifyTokensWithKeycloak,
      onFull: () => this.#warnings.write('memory', 'revocation.max sessions and users are remembered: all tokens older than the oldest of them are refused from now on')
    })
    this.#lookup = new KeyLookup(keys, this.#budget, settings.jwks.cooldown)
    this.#sync = revocation.store && this.#createSync(revocation.store)
  }

  /**
   * Looks into memory alone.
   * @throws {KeycloakError} token_not_valid; keycloak_unavailable when the store was not heard of within `revocation.maxLag`
   */
  check (claims: AccessTokenClaims): void {
    this.#list.check(claims)
    if (this.#sync !== undefined && !this.#sync.ok) throw unavailable('revocations_unheard')
  }

  /**
   * Hear of each revocation that is taken in from now on, pushed here or read from the store; of some more than once. The number of
   * listeners is the caller's to bound.
   * @returns ends it
   */
  onRevoked (listener: RevocationListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
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

  /** Add the routes that Keycloak calls, and follow the store until the API closes. */
  async start (fastify: FastifyInstance): Promise<void> {
    const { settings, closing, log } = this.#options
    fastify.addHook('preClose', async () => { this.#lookup.close() })
    fastify.addHook('onClose', async () => this.close())
    const [budget, warnings] = [this.#budget, this.#warnings]
    const carryOut = (pushed: PushedRevocation) => this.#carryOut(pushed)
    const receiving = { lookup: this.#lookup, budget, replayGuard: this.#replayGuard, carryOut, log, warnings }
    const shared = { budget, pending: new PendingAnswers(), warnings, closing }
    for (const spec of pushRoutes(settings, this.#skew, receiving)) await new PushRoute(spec, shared).add(fastify)
    await this.#sync?.start()
  }

  /** Stop to follow the store. */
  async close (): Promise<void> {
    await this.#sync?.close()
  }

  #createSync (store: NonNullable<RealmRevocationOptions['revocation']['store']>): StoreSync {
    const { settings: { issuer, leeway }, revocation: { maxTokenLifetime, maxLag }, log, closing } = this.#options
    return new StoreSync({
      store,
      issuer,
      maxLag,
      lifetime: maxTokenLifetime + leeway,
      current: () => this.#list.current(),
      isReplaced: (revocation) => this.#list.isReplaced(revocation),
      take: (revocation) => this.#takeFromStore(revocation),
      log,
      warnings: this.#warnings,
      closing
    })
  }

  /** The list of this instance comes first, so that a store that fails lets no token in. */
  async #carryOut ({ revocations }: PushedRevocation): Promise<void> {
    for (const revocation of revocations) this.#take(revocation)
    const sync = this.#sync
    if (sync !== undefined) await Promise.all(revocations.map((revocation) => sync.publish(revocation)))
  }

  #takeFromStore (revocation: Revocation): void {
    this.#take(revocation)
    if (revocation.call !== undefined) this.#replayGuard.take(revocation.call.id, revocation.call.until + this.#skew)
  }

  /** The list comes first, so that `check` refuses the tokens when a listener is called. */
  #take (revocation: Revocation): void {
    this.#list.take(revocation)
    for (const listener of this.#listeners) listener(revocation)
  }
}
