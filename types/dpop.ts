import type { FastifyRequest } from 'fastify'

/** The signature algorithms of DPoP proofs (RFC 9449 section 4.2, RFC 7518 section 3.1, RFC 8037). */
export type DpopAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'EdDSA' | 'PS256' | 'RS256'

/** Remembers the proofs that were used, so that each is accepted once (RFC 9449 section 11.1). */
export interface ReplayStore {
  /**
   * Remember a key. An error, another answer, or none within 2 seconds makes the request 503 `keycloak_unavailable`.
   * @param key 43 characters of base64url
   * @param milliseconds how long the key has to be remembered
   * @returns `true` if the key was not there
   */
  add (key: string, milliseconds: number): boolean | Promise<boolean>
  /** Called when the API has closed. */
  close? (): void | Promise<void>
}

/** The nonces of proofs (RFC 9449 section 9). */
export interface DpopNonceOptions {
  /**
   * 32 characters or more, the same on each instance of the API. Of several the first makes nonces, and all are accepted, so
   * that a secret can be replaced.
   */
  secret: string | readonly string[]
  /**
   * Seconds for which a nonce is given out; it is accepted as long again.
   * @default 300
   */
  maxAge?: number
}

/** The memory of proofs that were used. */
export interface DpopReplayOptions {
  /**
   * The store that several instances of the API share, such as `redisReplayStore({ client })`.
   * @default the memory of this process
   */
  store?: ReplayStore
  /**
   * The most proofs that the memory of this process holds. When it is full, requests with a proof are 503 until proofs have
   * run out: it needs the proofs of a second times `maxAge` plus three times `leeway`.
   * @default 100000
   */
  max?: number
}

/** DPoP: access tokens that are bound to a key of the client (RFC 9449). */
export interface DpopOptions {
  /**
   * Refuse every token that is not bound to a key, on routes that are open to anonymous callers too.
   * @default false
   */
  required?: boolean
  /**
   * The algorithms of proofs.
   * @default ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256']
   */
  algorithms?: DpopAlgorithm | readonly DpopAlgorithm[]
  /**
   * Seconds for which a proof is good.
   * @default 30
   */
  maxAge?: number
  /**
   * Seconds by which the clocks of client and API may differ.
   * @default 5
   */
  leeway?: number
  /**
   * The URL of the API as clients see it, such as `https://api.example.com`, or a function that gives it. A path in it stands
   * before that of the request: a proxy has cut it off.
   * Without it, protocol and host of the request count, as Fastify's `trustProxy` gives them.
   */
  url?: string | ((request: FastifyRequest) => string)
  /**
   * Demand a nonce of this API in each proof.
   * @default false
   */
  nonce?: false | DpopNonceOptions
  /**
   * The memory of proofs that were used.
   * @default { max: 100000 }
   */
  replay?: DpopReplayOptions
}
