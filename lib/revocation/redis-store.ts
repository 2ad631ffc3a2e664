import { setTimeout as pause } from 'node:timers/promises'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { memberOf } from '../util/members.js'
import { BLOCKING, type RedisClient, type RedisConnection } from './redis-client.js'
import { RedisReader } from './redis-reader.js'
import { RedisStream } from './redis-stream.js'

export type { RedisClient, RedisConnection } from './redis-client.js'

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

/** Milliseconds between two connections. */
const RECONNECT_DELAY = 250

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

/** One key for each issuer, so that an entry need not name the issuer. */
class RedisStore implements RevocationStore {
  readonly #client: RedisClient
  readonly #key: string | undefined
  readonly #end = new AbortController()
  #stream: RedisStream | undefined
  #connection: RedisConnection | undefined

  constructor (client: RedisClient, key: string | undefined) {
    this.#client = client
    this.#key = key
  }

  follow (follower: RevocationFollower): void {
    if (this.#stream !== undefined) throw new Error('redisStore: one store serves one registration of the plugin; make another')
    this.#stream = new RedisStream(this.#key ?? `fastify-keycloak-bearer:${follower.issuer}`, follower.lifetime)
    void this.#follow(this.#stream, follower)
  }

  async publish (revocation: Revocation): Promise<void> {
    await this.#stream!.add(this.#client, [revocation])
  }

  close (): void {
    this.#end.abort()
    this.#connection?.disconnect()
  }

  /** Connect, read on from the last entry, and connect anew when that fails. */
  async #follow (stream: RedisStream, follower: RevocationFollower): Promise<void> {
    const { signal } = this.#end
    const reader = new RedisReader(stream, follower)
    while (!signal.aborted) {
      const connection = this.#connection = this.#client.duplicate(BLOCKING)
      let cause: unknown
      connection.on('error', (error) => { cause = error })
      try {
        await stream.askToKeep(connection)
        while (!signal.aborted) await reader.read(connection)
      } catch (error) {
        // The error of the connection says why; that of the command says "Connection is closed".
        if (!signal.aborted) follower.failed(cause ?? error)
      }
      connection.disconnect()
      await pause(RECONNECT_DELAY, undefined, { signal, ref: false }).catch(() => {})
    }
  }
}
