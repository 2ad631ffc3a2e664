import { setTimeout as pause } from 'node:timers/promises'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { isObject, member } from '../util/strict-json.js'
import { memberOf } from '../util/members.js'
import { within } from '../util/with-timeout.js'
import { ADD, type Entry, LONGEST, millisecondsFor, readEntry } from './redis-stream.js'

/** What is used of a client of ioredis or iovalkey. Commands in lower case: only for those every version adds a `keyPrefix`. */
export interface RedisClient {
  /** Send a command. */
  call (command: string, ...parameters: Array<string | number>): Promise<unknown>
  /** A new connection with the same options, and some of others. */
  duplicate (override?: any): RedisConnection
}

/** A connection of the store's own. */
export interface RedisConnection extends RedisClient {
  /** Hear of failures, which would end the process otherwise. */
  on (event: 'error', listener: (error: Error) => void): unknown
  /** Close it, without waiting. */
  disconnect (): void
}

/** The options of `redisStore()`. */
export interface RedisStoreOptions {
  /** A client of ioredis or iovalkey; it stays yours. Redis 6.2 or later, or Valkey. */
  client: RedisClient
  /**
   * The key of the stream.
   * @default 'fastify-keycloak-bearer:' and the issuer
   */
  key?: string
}

/** How a connection that blocks must be: it waits where others give up, and gives up where others try again. */
const BLOCKING = {
  lazyConnect: true,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  retryStrategy: () => null,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined
}

/** Milliseconds: the longest that a read blocks, that an answer takes, and between two connections. */
const BLOCK = 1000
const ANSWER = 2000
const RECONNECT = 250

/** Milliseconds that one instance has for giving back what Redis lost, before another one tries. */
const RESTORE = 10_000

/** Entries read or written at once. */
const BATCH = 1000

/** The id before all ids. */
const BEGINNING = '0-0'

/**
 * Spreads revocations to every instance that uses the same Redis, within milliseconds. Each one mirrors the stream
 * into its memory, so that no request waits for Redis; entries end with the tokens they are about.
 *
 * ```ts
 * await app.register(keycloak, { ...options, revocation: { store: redisStore({ client: new Redis(url) }) } })
 * ```
 * @throws {TypeError} when `client` is none of ioredis or iovalkey
 */
export function redisStore (options: RedisStoreOptions): RevocationStore {
  const { client } = options
  if (typeof client?.call !== 'function' || typeof client.duplicate !== 'function') {
    throw new TypeError('redisStore: client must be a client of ioredis or iovalkey')
  }
  return new RedisStore(client, memberOf(options, 'key') as string | undefined)
}

class RedisStore implements RevocationStore {
  readonly #client: RedisClient
  readonly #end = new AbortController()
  #key: string | undefined
  #follower: RevocationFollower | undefined
  #reader: RedisConnection | undefined
  /** The last entry that was read. */
  #last = BEGINNING

  constructor (client: RedisClient, key: string | undefined) {
    this.#client = client
    this.#key = key
  }

  follow (follower: RevocationFollower): void {
    if (this.#follower !== undefined) throw new Error('redisStore: one store serves one registration of the plugin; make another')
    this.#follower = follower
    this.#key ??= `fastify-keycloak-bearer:${follower.issuer}`
    void this.#read(follower)
  }

  async publish (revocation: Revocation): Promise<void> {
    await this.#add(this.#client, [revocation])
  }

  close (): void {
    this.#end.abort()
    this.#reader?.disconnect()
  }

  /** Connect, read on from where it was, and when that fails connect anew. */
  async #read (follower: RevocationFollower): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      const reader = this.#reader = this.#client.duplicate(BLOCKING)
      let cause: unknown
      reader.on('error', (error) => { cause = error })
      try {
        await this.#askToKeep(reader)
        while (!signal.aborted) await this.#turn(reader, follower)
      } catch (error) {
        // "Connection is closed" says less than why it was.
        if (!signal.aborted) follower.failed(cause ?? error)
      }
      reader.disconnect()
      await pause(RECONNECT, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Read all there is, and wait for more. */
  async #turn (reader: RedisConnection, follower: RevocationFollower): Promise<void> {
    await this.#catchUp(reader, follower)
    follower.upToDate()
    const block = Math.min(BLOCK, Math.ceil(follower.maxLag / 4))
    // Only to be woken: the shape of its answer depends on the protocol and on the client, that of a range does not.
    await inTime(reader.call('xread', 'COUNT', 1, 'BLOCK', block, 'STREAMS', this.#key!, this.#last), block + ANSWER)
  }

  async #catchUp (reader: RedisConnection, follower: RevocationFollower): Promise<void> {
    const lost = await this.#hasLostLast(reader)
    const known = new Set<string>()
    let from = lost ? BEGINNING : this.#last
    let kept = Infinity
    for (;;) {
      const entries = await this.#range(reader, `(${from}`)
      for (const [id, members] of entries) {
        const { revocation, ...entry } = readEntry(members)
        kept = Math.min(kept, entry.kept)
        if (lost) known.add(nameOf(revocation))
        follower.receive(revocation)
        from = id
      }
      if (entries.length < BATCH) break
    }
    // Whoever added it does not know of us: after a loss of all data, such as by FLUSHALL, or if it wrote by hand.
    if (kept < this.#kept) await this.#askToKeep(reader)
    if (lost && !await this.#restore(reader, follower, known)) return
    this.#last = from
  }

  /** A Redis that was restarted, flushed or failed over may have lost what an instance that starts later must know. */
  async #hasLostLast (reader: RedisConnection): Promise<boolean> {
    if (this.#last === BEGINNING) return false
    const [entry] = await this.#range(reader, this.#last, 1)
    return entry?.[0] !== this.#last
  }

  /** One instance at a time, so that the stream does not hold everything once for each of them. */
  async #restore (reader: RedisConnection, follower: RevocationFollower, known: ReadonlySet<string>): Promise<boolean> {
    const missing = [...follower.current()].filter((revocation) => !known.has(nameOf(revocation)))
    if (missing.length === 0) return true
    const turn = `${this.#key!}:restoring`
    if (await inTime(reader.call('set', turn, 1, 'NX', 'PX', RESTORE), ANSWER) === null) {
      await pause(RECONNECT, undefined, { ref: false })
      return false
    }
    for (let at = 0; at < missing.length; at += BATCH) {
      await inTime(this.#add(reader, missing.slice(at, at + BATCH)), ANSWER)
    }
    await inTime(reader.call('del', turn), ANSWER)
    return true
  }

  async #range (reader: RedisConnection, from: string, count = BATCH): Promise<Entry[]> {
    return await inTime(reader.call('xrange', this.#key!, from, '+', 'COUNT', count), ANSWER) as Entry[]
  }

  /** Where it may only read, such as from a replica, the others keep for as long as they need. */
  async #askToKeep (reader: RedisConnection): Promise<void> {
    await inTime(this.#add(reader, []), ANSWER).catch(() => {})
  }

  /** Old entries are trimmed by those that are added, and the last ones end with the stream. */
  async #add (client: RedisClient, revocations: readonly Revocation[]): Promise<void> {
    const key = this.#key!
    const [kept, isNew] = await client.call('eval', LONGEST, 1, `${key}:lifetime`, this.#kept) as [string, number]
    if (revocations.length === 0 && isNew === 0) return
    await client.call('eval', ADD, 1, key, kept, ...revocations.map((each) => JSON.stringify(each)))
  }

  get #kept (): number {
    return millisecondsFor(this.#follower!.lifetime)
  }
}

/** A connection may be dead without knowing it. */
async function inTime<T> (answer: Promise<T>, milliseconds: number): Promise<T> {
  return within(answer, milliseconds, () => Object.assign(new Error(), { code: 'ETIMEDOUT' }))
}

/** What makes two of them the same. */
function nameOf (revocation: unknown): string {
  const members = isObject(revocation) ? revocation : {}
  return JSON.stringify([member(members, 'kind'), member(members, 'id'), member(members, 'at')])
}
