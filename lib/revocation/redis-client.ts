import { withTimeout } from '../util/with-timeout.js'

/** The members in use of a client of ioredis or iovalkey. Commands are in lower case, because not every version adds a `keyPrefix` to others. */
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

/** Options of a connection that blocks: it has no timeout of its own, and the store reconnects instead of the client. */
export const BLOCKING = {
  lazyConnect: true,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  retryStrategy: () => null,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined
}

/** Milliseconds that an answer may take. */
const ANSWER_TIMEOUT = 2000

/**
 * The answer of Redis, or a rejection in time: a connection may be dead without knowing it.
 * @param blocking milliseconds for which the command blocks
 */
export async function answerOf<T> (answer: Promise<T>, blocking = 0): Promise<T> {
  return withTimeout(answer, blocking + ANSWER_TIMEOUT, () => Object.assign(new Error(), { code: 'ETIMEDOUT' }))
}
