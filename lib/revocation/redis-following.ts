import { setTimeout as pause } from 'node:timers/promises'
import { answerOf, BLOCKING, type RedisClient, type RedisConnection } from './redis-client.js'
import type { RedisReader } from './redis-reader.js'

/** Milliseconds between two connections. */
const RECONNECT_DELAY = 250

/** The longest time that a read blocks, in milliseconds. */
const BLOCK = 1000

/** Milliseconds between two reads where nothing can wait for entries. */
const POLL_INTERVAL = 250

/** Reads the streams of all issuers over one connection of its own, from one connection to the next. */
export class RedisFollowing {
  readonly #client: RedisClient
  readonly #end = new AbortController()
  readonly #readers = new Set<RedisReader>()
  /** Those that are read by the connection. */
  readonly #joined = new Set<RedisReader>()
  #connection: RedisConnection | undefined
  #isRunning = false
  /** The keys lie on several nodes of a cluster, and no command can wait for all of them. */
  #isSplit = false

  /** @param client the user's */
  constructor (client: RedisClient) {
    this.#client = client
  }

  add (reader: RedisReader): void {
    this.#readers.add(reader)
    if (this.#isRunning) void this.#readAtOnce(reader).then(() => this.#join(reader))
    else this.#join(reader)
  }

  delete (reader: RedisReader): void {
    this.#readers.delete(reader)
    this.#joined.delete(reader)
  }

  close (): void {
    this.#end.abort()
    this.#connection?.disconnect()
  }

  get #isActive (): boolean {
    return this.#joined.size > 0 && !this.#end.signal.aborted
  }

  /** The connection waits for entries at the moment, and requests of the new issuer must not wait with it. */
  async #readAtOnce (reader: RedisReader): Promise<void> {
    try {
      await reader.stream.askToKeep(this.#client)
      await reader.read(this.#client)
    } catch {
      // The connection reads it next, and tells of a failure that lasts.
    }
  }

  #join (reader: RedisReader): void {
    if (this.#readers.has(reader)) this.#joined.add(reader)
    if (!this.#isRunning) void this.#run()
  }

  /** Connect, read on from the last entries, and connect anew when that fails. */
  async #run (): Promise<void> {
    const { signal } = this.#end
    this.#isRunning = true
    while (this.#isActive) {
      const connection = this.#connection = this.#client.duplicate(BLOCKING)
      let cause: unknown
      connection.on('error', (error) => { cause = error })
      try {
        await Promise.all(Array.from(this.#joined, ({ stream }) => stream.askToKeep(connection)))
        while (this.#isActive) await this.#read(connection)
      } catch (error) {
        // The error of the connection says why; that of the command says "Connection is closed".
        if (!signal.aborted) for (const reader of this.#joined) reader.failed(cause ?? error)
      }
      connection.disconnect()
      if (this.#isActive) await pause(RECONNECT_DELAY, undefined, { signal, ref: false }).catch(() => {})
    }
    this.#isRunning = false
  }

  /** Read all streams, and wait for more. A stream that cannot be read keeps no other one waiting. */
  async #read (connection: RedisConnection): Promise<void> {
    const readers = [...this.#joined]
    const failures = new Map<RedisReader, unknown>()
    await Promise.all(readers.map((reader) => reader.read(connection).catch((error: unknown) => failures.set(reader, error))))
    const readable = readers.filter((reader) => !failures.has(reader))
    if (readable.length === 0) throw failures.values().next().value
    for (const [reader, error] of failures) reader.failed(error)
    await this.#waitForMore(connection, readable)
  }

  /**
   * Wait for an entry after the last ones, which `range` reads then: the shape of xread's answer depends on the protocol and on the
   * client, that of xrange does not.
   */
  async #waitForMore (connection: RedisConnection, readers: readonly RedisReader[]): Promise<void> {
    const block = Math.min(BLOCK, ...readers.map(({ maxLag }) => Math.ceil(maxLag / 4)))
    const [keys, lasts] = [readers.map(({ stream }) => stream.key), readers.map(({ last }) => last)]
    try {
      if (!this.#isSplit || readers.length === 1) {
        await answerOf(connection.call('xread', 'COUNT', 1, 'BLOCK', block, 'STREAMS', ...keys, ...lasts), block)
        return
      }
    } catch (error) {
      if (!String(error).includes('CROSSSLOT')) throw error
      this.#isSplit = true
    }
    await pause(Math.min(block, POLL_INTERVAL), undefined, { ref: false, signal: this.#end.signal })
  }
}
