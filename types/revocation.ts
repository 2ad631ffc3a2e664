/** A revocation, as the instances of an API exchange it: plain JSON. */
export interface Revocation {
  /**
   * - `session`: the tokens of the session `id` (claim `sid`)
   * - `user`: the tokens of the user `id` (claim `sub`) that were issued in the second `at` or before
   * - `everybody`: all tokens that were issued before the second `at`
   * - `realm`: the same, as the realm's not-before. A higher date replaces it, and so does the date of a later call, of which
   *   0 clears it
   */
  kind: 'session' | 'user' | 'everybody' | 'realm'
  /** The id of the session or the user. */
  id?: string
  /** Seconds since 1970, by Keycloak's clock. */
  at: number
  /** The call of Keycloak that brought the revocation: its id, and its expiry in seconds since 1970. A call counts once. */
  call?: { id: string, until: number }
}

/** An instance of the API that follows a store. Its functions may be called any number of times. */
export interface RevocationFollower {
  /** The realm's issuer, to keep the revocations of several realms apart. */
  issuer: string
  /** The registration has several issuers, each with a follower of its own: a key that the user chose needs the issuer beside it. */
  several?: boolean
  /**
   * Seconds after `at` for which a revocation counts and has to be kept. If several APIs share the stored revocations, the
   * longest `lifetime` decides.
   */
  lifetime: number
  /** Milliseconds after the last `upToDate` from which requests are answered 503. */
  maxLag: number
  /** Accept a revocation that any instance has published. The same revocation may be received twice. */
  receive (revocation: unknown): void
  /** Report that all revocations published until now were received. To be called several times within `maxLag`. */
  upToDate (): void
  /** Report that the store cannot be read at the moment. The plugin logs it, at a limited rate. */
  failed (error: unknown): void
  /** All revocations that count now, for a store that has lost them. */
  current (): Iterable<Revocation>
}

/**
 * The store by which the instances of an API share revocations. One object serves one registration of the plugin: one issuer, or
 * several if it has `unfollow`. It passes a revocation on to the followers of its issuer alone, because the ids of sessions and users
 * are unique within an issuer only.
 */
export interface RevocationStore {
  /**
   * Begin to pass on all revocations that were published within `follower.lifetime`, and then each new one. Called once for each
   * issuer, and again after `unfollow`.
   */
  follow (follower: RevocationFollower): void
  /**
   * Resolves when it is certain that each instance that follows, now or later, will receive the revocation. If the promise
   * rejects, the plugin tries again.
   * @param issuer the plugin always gives it: one that is followed
   */
  publish (revocation: Revocation, issuer?: string): Promise<void>
  /** Stop following one issuer, because its realm was dropped. Required with the option `issuers`. */
  unfollow? (issuer: string): Promise<void> | void
  /** Stop following. */
  close (): Promise<void> | void
}

/** The route that receives Keycloak's back-channel logouts (OpenID Connect Back-Channel Logout 1.0). */
export interface BackchannelLogoutOptions {
  /** Its path below the prefix of the scope, such as `/backchannel-logout`. */
  path: string
  /** The ids of the clients that users log in by, which logout tokens have in `aud`: not this API's client, but the frontend's. */
  clients: string | readonly string[]
}

/** The routes that receive the pushes of Keycloak's admin console. */
export interface AdminUrlOptions {
  /**
   * The path of the client's "Admin URL" in Keycloak; `k_push_not_before` and `k_logout` lie below it. With `issuers` the admin URL of
   * an issuer is the path, a slash and its name.
   */
  path: string
}

/** The list of logouts, and the time for which it must remember them. */
export interface RevocationOptions {
  /**
   * The longest life of an access token, in seconds. A token that lives longer is refused.
   * @default 86400 (a day)
   */
  maxTokenLifetime?: number
  /**
   * The most sessions and users that are remembered, over all issuers. If there are more, the oldest is dropped, and all tokens older than it
   * are refused.
   * @default 100000
   */
  max?: number
  /**
   * The store that shares revocations with other instances. An API of one instance needs none.
   * @example
   * revocation: { store: redisStore({ client: new Redis(url) }) }
   */
  store?: RevocationStore
  /**
   * Milliseconds without a report of the store after which requests with a token are answered 503.
   * @default 10000
   */
  maxLag?: number
  /**
   * Seconds by which the dates of Keycloak's calls may be off, in the future and in the past: Keycloak does not repeat a call
   * that is refused because the clocks differ. For access tokens only the option `leeway` counts; if it is more, it counts
   * here too.
   * @default 300
   */
  leeway?: number
}
