import type { FastifyBaseLogger } from 'fastify'
import type { Revocation } from '../../types/revocation.js'
import type { Closing } from '../keycloak/closing.js'
import type { RealmSettings } from '../options/options.js'
import { KeyLookup, type RealmKeys } from './key-lookup.js'
import type { MemoryBudget } from './memory-budget.js'
import type { PendingCall, PushedRevocation } from './push.js'
import { pushKinds, type PushName } from './push-kinds.js'
import { PushReceiver } from './push-receiver.js'
import { ReplayGuard } from './replay-guard.js'
import { RevocationList } from './revocation-list.js'
import type { SharedLimit } from './shared-limit.js'
import type { StoreLog } from './store-log.js'
import { StoreSync } from './store-sync.js'
import { issuerLog } from '../diagnostics/issuer-log.js'
import type { RateLimitedLog, Warnings } from '../diagnostics/rate-limited-log.js'

/** Called for each revocation that is taken in. It must not throw. */
export type RevocationListener = (revocation: Revocation) => void

/** The objects that all issuers share. */
export interface SharedByIssuers {
  /** Are there several? */
  several: boolean
  listLimit: SharedLimit
  replayLimit: SharedLimit
  budget: MemoryBudget
  warnings: RateLimitedLog
  storeLog: StoreLog
  log: FastifyBaseLogger
  closing: Closing
}

export interface IssuerRevocationsOptions {
  /** Those of the realm that the issuer has first. */
  settings: RealmSettings
  shared: SharedByIssuers
  /** Not-before of all tokens, in seconds since 1970, because earlier logouts of the issuer may have been forgotten. */
  notBefore: number
  /** Has a realm made for the issuer. */
  needRealm: () => Promise<void>
  /** Called when a realm or a push begins to use this object. */
  onUse: (revocations: IssuerRevocations) => void
  /** Called when nothing uses it any more. */
  onIdle: (revocations: IssuerRevocations) => void
}

/**
 * The logouts and not-before dates of one issuer. They outlive its realm: a realm that was dropped, because there were too many, finds
 * them when it is made again.
 */
export class IssuerRevocations {
  readonly issuer: string
  readonly list: RevocationList
  /** By kind. */
  readonly receivers: Readonly<Record<PushName, PushReceiver>>
  readonly lookup: KeyLookup
  readonly #options: IssuerRevocationsOptions
  readonly #replayGuard: ReplayGuard
  readonly #warnings: Warnings
  /** Seconds by which the dates of a push may be off. */
  readonly #skew: number
  readonly #listeners = new Set<RevocationListener>()
  #sync: StoreSync | undefined
  /** The number of realms, pushes and revocations on their way to the store that use this object. */
  #uses = 0

  constructor (options: IssuerRevocationsOptions) {
    const { settings, shared, notBefore, needRealm } = options
    const { maxTokenLifetime, leeway } = settings.revocation!
    this.#options = options
    this.issuer = settings.issuer
    this.#skew = Math.max(settings.leeway, leeway)
    this.#replayGuard = new ReplayGuard(shared.replayLimit)
    this.#warnings = shared.several ? shared.warnings.about(settings.name) : shared.warnings
    this.list = new RevocationList({
      maxTokenLifetime,
      leeway: settings.leeway,
      limit: shared.listLimit,
      notBefore,
      onFull: () => this.#warnings.write('memory', 'revocation.max sessions and users are remembered: all tokens older than the oldest of them are refused from now on')
    })
    this.lookup = new KeyLookup({ budget: shared.budget, closing: shared.closing, issuer: shared.several ? this.issuer : undefined, needRealm })
    this.receivers = this.#createReceivers()
  }

  /** `undefined` if there is no store. */
  get sync (): StoreSync | undefined {
    return this.#sync
  }

  /** Is there nothing to remember? */
  get isEmpty (): boolean {
    return this.list.isEmpty
  }

  /**
   * A realm of the issuer begins. While a new one takes the place of another, there are two.
   * @returns ends it
   */
  enter (settings: RealmSettings, keys: RealmKeys): () => void {
    const leave = this.hold()
    this.#sync ??= settings.revocation!.store && this.#createSync(settings)
    for (const [name, kind] of Object.entries(pushKinds(settings))) this.receivers[name as PushName].kind = kind
    this.lookup.use(keys)
    return () => {
      this.lookup.drop(keys)
      leave()
    }
  }

  /** Carry out a push, whether or not the issuer has a realm at the moment. */
  async take (name: PushName, token: string, call: PendingCall): Promise<void> {
    const release = this.hold()
    return this.receivers[name].take(token, call).finally(release)
  }

  /**
   * What a listener waits for comes whether or not the issuer has a realm meanwhile.
   * @returns ends it
   */
  onRevoked (listener: RevocationListener): () => void {
    const release = this.hold()
    this.#listeners.add(listener)
    return () => { if (this.#listeners.delete(listener)) release() }
  }

  /** @returns ends the use of this object, once */
  hold (): () => void {
    if (this.#uses++ === 0) this.#options.onUse(this)
    return () => { if (--this.#uses === 0) this.#idle() }
  }

  /** Nothing remembers this object any more. */
  forget (): void {
    this.#options.shared.listLimit.delete(this.list)
    this.#options.shared.replayLimit.delete(this.#replayGuard)
  }

  #idle (): void {
    // The store is closed as a whole then.
    if (this.#options.shared.closing.begun) return
    this.#sync?.end()
    this.#sync = undefined
    this.#options.onIdle(this)
  }

  #createReceivers (): Record<PushName, PushReceiver> {
    const { settings, shared: { several, budget, log } } = this.#options
    const options = {
      lookup: this.lookup,
      budget,
      replayGuard: this.#replayGuard,
      carryOut: (pushed: PushedRevocation) => this.#carryOut(pushed),
      log: several ? issuerLog(log, settings.name) : log,
      warnings: this.#warnings,
      issuer: several ? settings.name : undefined
    }
    const receivers = Object.entries(pushKinds(settings)).map(([name, kind]) => [name, new PushReceiver(kind, options)])
    return Object.fromEntries(receivers) as Record<PushName, PushReceiver>
  }

  #createSync ({ leeway, revocation }: RealmSettings): StoreSync {
    const { several, storeLog, closing } = this.#options.shared
    return new StoreSync({
      store: revocation!.store!,
      issuer: this.issuer,
      several,
      maxLag: revocation!.maxLag,
      lifetime: revocation!.maxTokenLifetime + leeway,
      current: () => this.list.current(),
      isReplaced: (each) => this.list.isReplaced(each),
      take: (each) => this.#takeFromStore(each),
      hold: () => this.hold(),
      warnings: this.#warnings,
      storeLog,
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
    this.list.take(revocation)
    for (const listener of this.#listeners) listener(revocation)
  }
}
