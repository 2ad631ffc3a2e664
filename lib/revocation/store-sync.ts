import type { FastifyBaseLogger } from 'fastify'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import type { Closing } from '../keycloak/closing.js'
import { unavailable } from '../errors.js'
import { isObject } from '../util/strict-json.js'
import { withoutPrototype } from '../util/members.js'
import { storeReasonOf } from './store-error.js'
import { PublishQueue } from './publish-queue.js'
import { RateLimit } from '../diagnostics/rate-limit.js'
import type { RateLimitedLog } from '../diagnostics/rate-limited-log.js'
import { withTimeout } from '../util/with-timeout.js'
import { monotonicMilliseconds } from '../util/clock.js'

export interface StoreSyncOptions {
  store: RevocationStore
  issuer: string
  /** Seconds for which a revocation counts. */
  lifetime: number
  /** Milliseconds. */
  maxLag: number
  take: (revocation: Revocation) => void
  current: () => Iterable<Revocation>
  /** Need others still be told of a revocation that was taken here? */
  holds: (revocation: Revocation) => boolean
  log: FastifyBaseLogger
  warnings: RateLimitedLog
  closing: Closing
}

/** Milliseconds that a start waits for the store: beyond, the API starts, and answers 503 until it has caught up. */
const START_WAITS = 2000

/** Milliseconds that a call of Keycloak waits for the store. */
const PUBLISH_WAITS = 2000

/** Milliseconds that the close of the API waits for the store. */
const CLOSE_WAITS = 250

/** What all instances know: revocations go out to the others and come in from them, by way of a store. */
export class StoreSync {
  readonly #options: StoreSyncOptions
  readonly #queue: PublishQueue
  /** On the monotonic clock. */
  #heardAt: number | null = null
  #failing = false
  readonly #warning = new RateLimit()

  constructor (options: StoreSyncOptions) {
    this.#options = options
    this.#queue = new PublishQueue(options)
  }

  /** Milliseconds since the store was last heard of; `null`: not yet. */
  get lag (): number | null {
    return this.#heardAt === null ? null : monotonicMilliseconds() - this.#heardAt
  }

  /** Is what we know recent enough to go by? */
  get ok (): boolean {
    const { lag } = this
    return lag !== null && lag <= this.#options.maxLag
  }

  /** Follow the store, and wait a little until it has been read. */
  async start (): Promise<void> {
    const { store, issuer, lifetime, maxLag, current, warnings, closing } = this.#options
    let done!: () => void
    const read = new Promise<void>((resolve) => { done = resolve })
    const follower: RevocationFollower = {
      issuer,
      lifetime,
      maxLag,
      current,
      receive: (revocation) => this.#receive(revocation),
      upToDate: () => {
        this.#heard()
        done()
      },
      failed: (error) => this.#failed(error)
    }
    store.follow(follower)
    await closing.until(withTimeout(read, START_WAITS, () => new Error())).catch(() => {
      if (!closing.begun) warnings.write('store', 'the store of revocations could not be read in time; requests with a token are answered 503 until it can be')
    })
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the others do not know yet; they will as soon as may be
   */
  async publish (revocation: Revocation): Promise<void> {
    const { store, warnings, closing } = this.#options
    const published = (async () => store.publish(revocation))()
    published.catch(() => this.#queue.add(revocation))
    try {
      await closing.until(withTimeout(published, PUBLISH_WAITS, () => unavailable(`no answer within ${PUBLISH_WAITS} ms`)))
    } catch (error) {
      warnings.write('store', `the store of revocations cannot be written: ${storeReasonOf(error)}`)
      throw unavailable('it holds here, and elsewhere as soon as the store of revocations takes it')
    }
  }

  async close (): Promise<void> {
    const { store, warnings } = this.#options
    this.#queue.close()
    const late = new Error()
    await withTimeout((async () => store.close())(), CLOSE_WAITS, () => late).catch((error) => {
      if (error !== late) throw error
      warnings.write('store', `the store of revocations was not closed within ${CLOSE_WAITS} ms; the API closes all the same`)
    })
  }

  #receive (value: unknown): void {
    const revocation = ownMembers(value)
    if (isRevocation(revocation)) this.#options.take(revocation)
    else this.#options.warnings.write('content', 'the store of revocations holds something that is none; it was passed over')
  }

  #heard (): void {
    this.#heardAt = monotonicMilliseconds()
    if (!this.#failing) return
    this.#failing = false
    this.#options.log.info('the store of revocations can be read again')
  }

  #failed (error: unknown): void {
    this.#failing = true
    const reason = storeReasonOf(error)
    if (this.#warning.allows(reason)) this.#options.log.warn(`the store of revocations cannot be read: ${reason}`)
  }
}

/** What the store has sent, and nothing that all objects inherit. */
function ownMembers (value: unknown): unknown {
  if (!isObject(value)) return value
  const own = withoutPrototype(value)
  if (isObject(own.call)) own.call = withoutPrototype(own.call)
  return own
}

/** Whoever can write to the store is believed, and what they write must be what it should be all the same. */
function isRevocation (value: unknown): value is Revocation {
  if (!isObject(value) || !Number.isFinite(value.at)) return false
  const { kind, id, call } = value
  if (call !== undefined && !(isObject(call) && typeof call.id === 'string' && Number.isFinite(call.until))) return false
  if (kind === 'session' || kind === 'user') return typeof id === 'string'
  return kind === 'everybody' || (kind === 'realm' && call !== undefined)
}
