import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Closing } from '../keycloak/closing.js'
import type { KeySource } from '../keys/key-source.js'
import type { LogoutSettings, RealmSettings } from '../options/options.js'
import { RateLimitedLog } from '../diagnostics/rate-limited-log.js'
import { withTimeout } from '../util/with-timeout.js'
import { IssuerLookup, type NeedRealm } from './issuer-lookup.js'
import { IssuerMemory } from './issuer-memory.js'
import { IssuerRevocations, type SharedByIssuers } from './issuer-revocations.js'
import { KnownIssuers } from './known-issuers.js'
import { MemoryBudget } from './memory-budget.js'
import { PendingAnswers } from './pending-answers.js'
import { PushDispatcher } from './push-dispatcher.js'
import { PushRoute } from './push-routes.js'
import { routesOfOne, routesOfSeveral } from './push-table.js'
import { RealmRevocation } from './realm-revocation.js'
import { SharedLimit } from './shared-limit.js'
import { StoreLog } from './store-log.js'

export interface RevocationsOptions extends LogoutSettings {
  /** Is the option `issuers` given? */
  several: boolean
  /** Makes the realm of an issuer, where realms come and go; `undefined` if all are there for good. */
  needRealm: NeedRealm | undefined
  /** Limit of the issuers whose logouts are remembered although they have no realm. */
  maxRemembered?: number | undefined
  closing: Closing
  log: FastifyBaseLogger
}

/** Milliseconds that the close of the API waits for the store. */
const CLOSE_TIMEOUT = 250

/** Limit of the issuers whose logouts are remembered although they have no realm. Each takes about 2 kB beside its entries. */
const MAX_REMEMBERED = 10_000

const MANY_ISSUERS = 'more issuers without a realm have logouts than can be remembered: tokens of such issuers that were issued before now are refused'

/** The logouts and not-before dates of all issuers, with the routes that Keycloak calls and the bounds that the issuers share. */
export class Revocations {
  readonly #options: RevocationsOptions
  readonly #shared: SharedByIssuers
  readonly #memory: IssuerMemory
  readonly #known = new KnownIssuers()
  readonly #lookup: IssuerLookup | undefined

  constructor (options: RevocationsOptions) {
    const { revocation: { max }, several, needRealm, maxRemembered = MAX_REMEMBERED, closing, log } = options
    const [budget, warnings] = [new MemoryBudget(), new RateLimitedLog(log)]
    this.#options = options
    this.#shared = {
      several, budget, warnings, closing, log, storeLog: new StoreLog(log), listLimit: new SharedLimit(max), replayLimit: new SharedLimit(max)
    }
    this.#memory = new IssuerMemory(maxRemembered, () => warnings.write('memory', MANY_ISSUERS))
    this.#lookup = needRealm && new IssuerLookup({ needRealm, isKnown: (issuer) => this.#known.had(issuer), budget, closing })
  }

  /**
   * The part of a realm, which has to close it.
   * @throws {TypeError} if the name of the realm cannot be part of its admin URL
   */
  of (settings: RealmSettings, keys: KeySource): RealmRevocation {
    const { several, adminUrl } = this.#options
    const { name, issuer } = settings
    if (several && adminUrl !== undefined) refuseAsSegment(name)
    const revocations = this.#memory.get(issuer) ?? this.#create(settings)
    this.#known.enter(name, issuer)
    return new RealmRevocation(revocations, settings, keys, () => this.#known.leave(name, issuer))
  }

  /** Add the routes that Keycloak calls. To be called when the realms that are there at start have their part. */
  async start (fastify: FastifyInstance): Promise<void> {
    const { several, closing } = this.#options
    const { budget, warnings } = this.#shared
    fastify.addHook('preClose', async () => this.#refuseAll())
    fastify.addHook('onClose', async () => this.#close())
    const [only] = this.#memory.all()
    const dispatcher = new PushDispatcher({ memory: this.#memory, lookup: this.#lookup, warnings })
    const specs = several ? routesOfSeveral(this.#options, dispatcher, this.#known) : routesOfOne(this.#options, only!.receivers)
    const shared = { budget, pending: new PendingAnswers(), warnings, closing }
    for (const spec of specs) await new PushRoute(spec, shared).add(fastify)
  }

  #create (settings: RealmSettings): IssuerRevocations {
    const { issuer } = settings
    return new IssuerRevocations({
      settings,
      shared: this.#shared,
      notBefore: this.#memory.notBefore,
      // The realm's own pushes wait in its lookup of keys.
      needRealm: () => this.#lookup!.find(issuer, 0, () => Promise.resolve()),
      onUse: (revocations) => this.#memory.use(revocations),
      onIdle: (revocations) => this.#memory.idle(revocations)
    })
  }

  /** No push waits any longer. */
  #refuseAll (): void {
    this.#lookup?.close()
    for (const { lookup } of this.#memory.all()) lookup.close()
  }

  async #close (): Promise<void> {
    for (const { sync } of this.#memory.all()) sync?.close()
    const { store } = this.#options.revocation
    const late = new Error()
    await withTimeout((async () => store?.close())(), CLOSE_TIMEOUT, () => late).catch((error) => {
      if (error !== late) throw error
      this.#shared.warnings.write('store', `the store of revocations was not closed within ${CLOSE_TIMEOUT} ms; the API closes all the same`)
    })
  }
}

/** The most characters of a parameter of a path, unless Fastify's maxParamLength says otherwise. */
const MAX_SEGMENT = 100

function refuseAsSegment (name: string): void {
  if (!/^\.{0,2}$|[/\\]/.test(name) && name.length <= MAX_SEGMENT) return
  throw new TypeError(`fastify-keycloak-bearer: the name ${JSON.stringify(name.slice(0, MAX_SEGMENT))} cannot be part of a path, as adminUrl demands of each issuer: give its entry a name without slashes, of at most ${MAX_SEGMENT} characters`)
}
