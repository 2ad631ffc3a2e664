import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { memberOf } from '../util/members.js'
import type { RedisClient } from './redis-client.js'
import { RedisFollowing } from './redis-following.js'
import { RedisReader } from './redis-reader.js'
import { RedisStream } from './redis-stream.js'

export type { RedisClient, RedisConnection } from './redis-client.js'

/** The options of `redisStore()`. */
export interface RedisStoreOptions {
  /** A client of ioredis or iovalkey; it stays yours. Redis 6.2 or later, or Valkey. */
  client: RedisClient
  /**
   * The key of the stream. With the option `issuers` each issuer has a stream of its own: the key, a colon and the issuer.
   * @default 'fastify-keycloak-bearer:' and the issuer
   */
  key?: string
}

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
  readonly #following: RedisFollowing
  /** By issuer. */
  readonly #readers = new Map<string, RedisReader>()
  #isClosed = false

  constructor (client: RedisClient, key: string | undefined) {
    this.#client = client
    this.#key = key
    this.#following = new RedisFollowing(client)
  }

  follow (follower: RevocationFollower): void {
    const isSeveral = memberOf(follower, 'several') === true
    if (this.#isClosed || this.#readers.has(follower.issuer) || (this.#readers.size > 0 && !isSeveral)) {
      throw new Error('redisStore: one store serves one registration of the plugin; make another')
    }
    const reader = new RedisReader(new RedisStream(this.#keyOf(follower.issuer, isSeveral), follower.lifetime), follower)
    this.#readers.set(follower.issuer, reader)
    this.#following.add(reader)
  }

  /** @param issuer left out by a store around this one, which serves one issuer then */
  async publish (revocation: Revocation, issuer?: string): Promise<void> {
    const [only] = this.#readers.values()
    const { stream } = issuer === undefined ? only! : this.#readers.get(issuer)!
    await stream.add(this.#client, [revocation])
  }

  unfollow (issuer: string): void {
    this.#following.delete(this.#readers.get(issuer)!)
    this.#readers.delete(issuer)
  }

  close (): void {
    this.#isClosed = true
    this.#following.close()
  }

  /** Two issuers never share a stream, because the ids of sessions and users are unique within an issuer only. */
  #keyOf (issuer: string, isSeveral: boolean): string {
    if (this.#key === undefined) return `fastify-keycloak-bearer:${issuer}`
    return isSeveral ? `${this.#key}:${issuer}` : this.#key
  }
}
