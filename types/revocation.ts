/** What was revoked, as it travels between the instances of an API: plain JSON. */
export interface Revocation {
  /**
   * - `session`: the tokens of the session `id` (`sid`)
   * - `user`: the tokens of the user `id` (`sub`) that were issued up to the second `at`
   * - `everybody`: all tokens that were issued before the second `at`
   * - `realm`: the same, as the realm's not-before; a higher date takes its place, and that of a later call, of which 0 clears it
   */
  kind: 'session' | 'user' | 'everybody' | 'realm'
  /** Of the session or the user. */
  id?: string
  /** Seconds since 1970, by Keycloak's clock. */
  at: number
  /** The call of Keycloak that brought it, which counts once: its id, and when it ends, in seconds since 1970. */
  call?: { id: string, until: number }
}

/** The instance of the API that follows a store. Its functions may be called as often as you like. */
export interface RevocationFollower {
  /** The realm's issuer, to keep the revocations of several realms apart. */
  issuer: string
  /**
   * Seconds after `at` for which a revocation counts, and has to be kept. Where several APIs share what is stored, the longest of
   * theirs decides.
   */
  lifetime: number
  /** Milliseconds after the last `upToDate` from which requests are answered 503. */
  maxLag: number
  /** Take in what was published, by whatever instance. Taking it in twice does no harm. */
  receive (revocation: unknown): void
  /** All that had been published a moment ago was received. To be called several times within `maxLag`. */
  upToDate (): void
  /** The store cannot be read at the moment; logged, but not too often. */
  failed (error: unknown): void
  /** All that counts now, for a store that has lost it. */
  current (): Iterable<Revocation>
}

/** Where the instances of an API tell each other what was revoked. One object serves one registration of the plugin. */
export interface RevocationStore {
  /** Begin to hand on all that was published within `follower.lifetime`, and from then on what is being published. */
  follow (follower: RevocationFollower): void
  /** Resolves once every instance that follows, now or later, will receive it. A promise that rejects is tried again. */
  publish (revocation: Revocation): Promise<void>
  /** Stop. */
  close (): Promise<void> | void
}

/** The route that takes Keycloak's back-channel logouts (OpenID Connect Back-Channel Logout 1.0). */
export interface BackchannelLogoutOptions {
  /** Its path below the prefix of the scope, such as `/backchannel-logout`. */
  path: string
  /** The clients that users log in by, in the `aud` of logout tokens: not this API's client, but the frontend's. */
  clients: string | readonly string[]
}

/** The routes that take the pushes of Keycloak's admin console. */
export interface AdminUrlOptions {
  /** What the client's admin URL in Keycloak ends with; `k_push_not_before` and `k_logout` lie below it. */
  path: string
}

/** What was logged out, and for how long that must be remembered. */
export interface RevocationOptions {
  /**
   * The longest life of an access token, in seconds; one that lives longer is refused.
   * @default 86400 (a day)
   */
  maxTokenLifetime?: number
  /**
   * How many sessions and users are remembered. Beyond, all tokens older than the oldest of them are refused.
   * @default 100000
   */
  max?: number
  /**
   * Spreads revocations to other instances. None is right for an API of one instance.
   * @example
   * revocation: { store: redisStore({ client: new Redis(url) }) }
   */
  store?: RevocationStore
  /**
   * Milliseconds without the store after which requests with a token are answered 503.
   * @default 10000
   */
  maxLag?: number
  /**
   * Seconds by which the dates of Keycloak's calls may be off, in the future and in the past: Keycloak does not repeat a call
   * that is refused because the clocks differ. For access tokens `leeway` counts alone; if that is more, it counts here too.
   * @default 300
   */
  leeway?: number
}
