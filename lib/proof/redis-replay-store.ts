import type { ReplayStore } from '../../types/dpop.js'

/** The members in use of a client of ioredis or iovalkey. */
export interface RedisReplayClient {
  /** Send a command. */
  call (command: string, ...parameters: Array<string | number>): Promise<unknown>
}

/** Options of {@link redisReplayStore}. */
export interface RedisReplayStoreOptions {
  /** A client of ioredis or iovalkey. The store does not close it. */
  client: RedisReplayClient
  /**
   * The begin of each key.
   * @default 'fastify-keycloak-bearer:dpop:'
   */
  prefix?: string
}

/**
 * A replay store in Redis, which several instances of the API share: each DPoP proof is accepted by one of them, once
 * (RFC 9449 section 11.1). Each proof is one `SET … PX … NX`. A Redis that evicts keys forgets proofs: use `noeviction`.
 * @throws {TypeError} for a client without `call`
 * @example
 * dpop: { replay: { store: redisReplayStore({ client: new Redis() }) } }
 */
export function redisReplayStore ({ client, prefix = 'fastify-keycloak-bearer:dpop:' }: RedisReplayStoreOptions): ReplayStore {
  if (typeof client?.call !== 'function') throw new TypeError('fastify-keycloak-bearer: redisReplayStore() needs { client }, a client of ioredis or iovalkey')
  return {
    async add (key, milliseconds) {
      const answer = await client.call('set', prefix + key, '1', 'PX', milliseconds, 'NX')
      if (answer === 'OK') return true
      if (answer === null) return false
      throw new Error('Redis answered neither OK nor null')
    }
  }
}
