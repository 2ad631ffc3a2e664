import type { Claims } from './user.js'

/** Who may call a route, for `fastify.keycloak.routes()`. */
export interface RouteAccess {
  /** `GET`, or several joined by a comma. */
  method: string
  url: string
  /**
   * - `unguarded`: `keycloak: false`, the plugin does not look at it
   * - `public`: anonymous or a valid token
   * - `authenticated`: any valid token
   * - `restricted`: a valid token that fulfils `rule`
   */
  access: 'unguarded' | 'public' | 'authenticated' | 'restricted'
  /** What a `restricted` route asks for, in words: `permission view-profile and scope write`. */
  rule?: string
}

/** How one of Keycloak's endpoints has been answering. Times are ISO 8601; `null`: never. */
export interface UpstreamHealth {
  /** `false` from a failed call on, until one succeeds. */
  ok: boolean
  lastSuccess: string | null
  lastFailure: string | null
  /** Why the last failure failed, while `ok` is false. */
  reason: string | null
}

/** How introspection has been answering. */
export interface IntrospectionHealth extends UpstreamHealth {
  /** `open`: Keycloak is known to be away, so that requests are answered 503 at once but for a trial now and then. */
  breaker: 'closed' | 'open'
  /** Calls that are under way, or wait for a connection. */
  pending: number
}

/** What `fastify.keycloak.health()` reports. */
export interface Health {
  /** `false` while a request with a token would get 503 for want of Keycloak. */
  ok: boolean
  keys: UpstreamHealth & {
    /** Age of the key set in milliseconds, `null` before the first fetch. */
    age: number | null
    /** Is the key set older than `jwks.maxAge`? */
    stale: boolean
    /** How many signing keys are usable. */
    count: number
  }
  /** `null` where introspection is off. */
  introspection: IntrospectionHealth | null
}

/** `fastify.keycloak` */
export interface KeycloakInstance {
  /**
   * Verify a token that came by another way than a request (a WebSocket message, a job): signature, claims,
   * introspection; not `syncUser`.
   * @throws {KeycloakError} `token_not_valid`, `token_expired` (401) or `keycloak_unavailable` (503)
   */
  verify (token: string): Promise<Claims>
  /** Every route that was added since the plugin loaded, with who may call it. */
  routes (): RouteAccess[]
  /** How the calls to Keycloak are doing. */
  health (): Health
}
