import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import type { Closing } from '../keycloak/closing.js'
import { unavailable } from '../errors.js'
import { isObject } from '../util/strict-json.js'
import { withoutPrototype } from '../util/members.js'
import { storeReasonOf } from './store-error.js'
import { PublishQueue } from './publish-queue.js'
import type { Warnings } from '../diagnostics/rate-limited-log.js'
import type { StoreLog } from './store-log.js'
import { withTimeout } from '../util/with-timeout.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { reasonFor } from '../reasons/reason.js'

export interface StoreSyncOptions {
  store: RevocationStore
  issuer: string
  /** Does the store serve several issuers? */
  several: boolean
  /** Seconds for which a revocation counts. */
  lifetime: number
  /** Milliseconds. */
  maxLag: number
  /** Take in a revocation of the store. */
  take: (revocation: Revocation) => void
  /** All revocations that count now. */
  current: () => Iterable<Revocation>
  /** A later push has taken the place of this one. */
  isReplaced: (revocation: Revocation) => boolean
  /** Keeps this object in use until the returned function is called: the store has not taken a revocation yet. */
  hold: () => () => void
  warnings: Warnings
  storeLog: StoreLog
  closing: Closing
}

/** Milliseconds that a start waits for the store. The API starts after them all the same, and answers 503 until it has caught up. */
const START_TIMEOUT = 2000

/** Milliseconds that a push waits for the store. */
const PUBLISH_TIMEOUT = 2000

/** Shares the revocations of one issuer with the other instances of the API, by a store. */
export class StoreSync {
  readonly #options: StoreSyncOptions
  readonly #queue: PublishQueue
  /** Resolves when the store was read to its end for the first time. */
  #read: Promise<void> | undefined
  /** Milliseconds of the monotonic clock at which the store was known to be read to its end. */
  #upToDateAt: number | null = null
  #isClosed = false

  constructor (options: StoreSyncOptions) {
    this.#options = options
    this.#queue = new PublishQueue(options)
  }

  /** Milliseconds since the store was read to its end; `null` before the first time. */
  get lag (): number | null {
    return this.#upToDateAt === null ? null : monotonicMilliseconds() - this.#upToDateAt
  }

  /** The revocations of the other instances are recent enough to let a token in. */
  get ok (): boolean {
    const { lag } = this
    return lag !== null && lag <= this.#options.maxLag
  }

  /** Follow the store, and wait for a short time until it has been read. */
  async start (): Promise<void> {
    const { warnings, closing } = this.#options
    const read = this.#follow()
    await closing.until(withTimeout(read, START_TIMEOUT, () => new Error())).catch(() => {
      if (!closing.begun) warnings.write('store', 'the store of revocations could not be read in time; requests with a token are answered 503 until it can be')
    })
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the store has not taken the revocation in time. It is published again in
   *   the background.
   */
  async publish (revocation: Revocation): Promise<void> {
    const { store, issuer, hold, warnings, closing } = this.#options
    const published = (async () => {
      // A push may come before the start of a realm that is added while the API runs.
      void this.#follow()
      return store.publish(revocation, issuer)
    })()
    published.catch(() => this.#queue.add(revocation)).finally(hold())
    try {
      await closing.until(withTimeout(published, PUBLISH_TIMEOUT, () => unavailable(reasonFor('no_answer', { milliseconds: PUBLISH_TIMEOUT }))))
    } catch (error) {
      warnings.write('store', `the store of revocations cannot be written: ${storeReasonOf(error)}`)
      throw unavailable('push_not_spread')
    }
  }

  /** Stop to follow the store, for this issuer alone. */
  end (): void {
    const { store, issuer, warnings } = this.#options
    this.close()
    if (this.#read === undefined) return
    // Stores of several issuers have it: one of one issuer is closed with the API alone.
    const ended = (async () => store.unfollow!(issuer))()
    ended.catch((error) => warnings.write('store', `the store of revocations cannot end following an issuer: ${storeReasonOf(error)}`))
  }

  /** The store itself is closed by its owner. */
  close (): void {
    this.#isClosed = true
    this.#queue.close()
    this.#options.storeLog.ended(this)
  }

  #follow (): Promise<void> {
    if (this.#read !== undefined) return this.#read
    const { store, issuer, several, lifetime, maxLag, current, storeLog } = this.#options
    let done!: () => void
    const read = new Promise<void>((resolve) => { done = resolve })
    const follower: RevocationFollower = {
      issuer,
      several,
      lifetime,
      maxLag,
      current,
      receive: (revocation) => this.#receive(revocation),
      upToDate: () => {
        this.#upToDateAt = monotonicMilliseconds()
        storeLog.upToDate(this)
        done()
      },
      failed: (error) => { if (!this.#isClosed) storeLog.failed(this, error) }
    }
    store.follow(follower)
    this.#read = read
    return read
  }

  #receive (value: unknown): void {
    const revocation = ownMembers(value)
    if (isRevocation(revocation)) this.#options.take(revocation)
    else this.#options.warnings.write('content', 'the store of revocations holds something that is none; it was passed over')
  }
}

/** A value of the store without the members that all objects inherit: they may be polluted. */
function ownMembers (value: unknown): unknown {
  if (!isObject(value)) return value
  const own = withoutPrototype(value)
  if (isObject(own.call)) own.call = withoutPrototype(own.call)
  return own
}

/** Writers of the store are trusted with the content of a revocation, and not with its form. */
function isRevocation (value: unknown): value is Revocation {
  if (!isObject(value) || !Number.isFinite(value.at)) return false
  const { kind, id, call } = value
  if (call !== undefined && !(isObject(call) && typeof call.id === 'string' && Number.isFinite(call.until))) return false
  if (kind === 'session' || kind === 'user') return typeof id === 'string'
  return kind === 'everybody' || (kind === 'realm' && call !== undefined)
}
