import type { Claims } from './user.js'

/** Who may call a route, for `fastify.keycloak.routes()`. */
export interface RouteAccess {
  /** `GET`, or several joined by a comma. */
  method: string
  /** Its path, with the prefixes of its scopes. */
  url: string
  /**
   * - `open`: `keycloak: false`, the plugin does not look at it
   * - `optional`: anonymous or a valid token
   * - `authenticated`: any valid token
   * - `restricted`: a valid token that fulfils `rule`
   */
  access: 'open' | 'optional' | 'authenticated' | 'restricted'
  /** What a `restricted` route asks for, in words: `permission read-profile and scope write`. */
  rule?: string
}

/** How one of Keycloak's endpoints has been answering. Times are ISO 8601; `null`: never. */
export interface UpstreamHealth {
  /** `false` from a failed call on, until one succeeds. */
  ok: boolean
  /** When a call last succeeded. */
  lastSuccess: string | null
  /** When a call last failed. */
  lastFailure: string | null
  /** Why the last failure failed, while `ok` is false. */
  reason: string | null
}

/** How introspection has been answering. */
export interface IntrospectionHealth extends UpstreamHealth {
  /** `open`: Keycloak is known to be away, so that requests are answered 503 at once but for a trial now and then. */
  breaker: 'closed' | 'open'
  /** Calls that are under way, or wait for a connection; requests that share one count once. */
  pending: number
}

/** What is known of logouts. */
export interface RevocationHealth {
  /** `false` while the store has not been heard of for more than `revocation.maxLag`. */
  ok: boolean
  /** How many sessions and users are logged out now, by the wall clock. */
  entries: number
  /** Tokens issued before this second since 1970 are refused; 0: none. */
  notBefore: number
  /** Milliseconds since the store was last heard of; `null`: never, or there is none. */
  lag: number | null
}

/** What `fastify.keycloak.health()` reports. */
export interface Health {
  /**
   * `false` while a request with a token would get 503 for want of Keycloak, or of the store of revocations, as far as is
   * known: `true` as well before anything was asked of Keycloak, since the first request fetches the keys. Where readiness
   * means that they are there, look at `keys.state` too, and let `startCheck` or `jwks.preload` fetch them.
   */
  ok: boolean
  /** The key set. */
  keys: UpstreamHealth & {
    /**
     * - `not fetched yet`: nobody has needed the keys, or they could not be had so far; then `ok` is `false`
     * - `fresh`: younger than `jwks.maxAge`
     * - `stale`: older, and used on while Keycloak cannot be reached, until `jwks.maxStale`
     * - `expired`: older than `jwks.maxStale`: requests with a token are 503 until they are fetched anew
     */
    state: 'not fetched yet' | 'fresh' | 'stale' | 'expired'
    /** Age of the key set in milliseconds, `null` before the first fetch. */
    age: number | null
    /** Is the key set older than `jwks.maxAge`? */
    stale: boolean
    /** How many signing keys are usable. */
    count: number
  }
  /** Verified tokens in memory, and about how much of it they take; `null` where `cache` is `false`. */
  cache: { tokens: number, bytes: number } | null
  /** `null` where introspection is off. */
  introspection: IntrospectionHealth | null
  /** `null` where none of the options `backchannelLogout`, `adminUrl` and `revocation` is given. */
  revocation: RevocationHealth | null
}

/** `fastify.keycloak` */
export interface KeycloakInstance {
  /**
   * Verify a token that came by another way than a request (a WebSocket message, a job): signature, claims,
   * introspection; not `syncUser`.
   * @throws {KeycloakError} `token_not_valid`, `token_expired` (401) or `keycloak_unavailable` (503)
   * @example
   * socket.on('message', async (token) => { const { sub } = await app.keycloak.verify(String(token)) })
   */
  verify (token: string): Promise<Claims>
  /**
   * Every route that was added since the plugin loaded, with who may call it.
   * @example
   * t.matchSnapshot(app.keycloak.routes())
   */
  routes (): RouteAccess[]
  /**
   * How the calls to Keycloak are doing; asks nothing.
   * @example
   * app.get('/ready', async (_, reply) => reply.code(app.keycloak.health().ok ? 200 : 503).send())
   */
  health (): Health
}
