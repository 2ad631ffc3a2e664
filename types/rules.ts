import type { FastifyRequest } from 'fastify'
import type { Claims } from './user.js'

/**
 * A rule of your own: only `true` (or a promise of `true`) allows. What it throws is your application's error.
 */
export type PermissionFunction = (claims: Claims, request: FastifyRequest) => boolean | Promise<boolean>

/** Who may call: a role, all of several, any of several, or a function; nested as you like. */
export type PermissionRule =
  | string
  | readonly [PermissionRule, ...PermissionRule[]]
  | { readonly any: readonly [PermissionRule, ...PermissionRule[]], readonly all?: never }
  | { readonly all: readonly [PermissionRule, ...PermissionRule[]], readonly any?: never }
  | PermissionFunction

/** {@link PermissionRule} for `request.hasPermission`, which is synchronous: no promise in its functions. */
export type SyncPermissionRule =
  | string
  | readonly SyncPermissionRule[]
  | { readonly any: readonly SyncPermissionRule[], readonly all?: never }
  | { readonly all: readonly SyncPermissionRule[], readonly any?: never }
  | ((claims: Claims, request: FastifyRequest) => boolean)

/** What the plugin reads of a route's `config`. */
export interface KeycloakRouteConfig {
  /** The roles a caller needs, read at `permissionPath`; a caller without them gets 403 `permission_denied`. */
  permission?: PermissionRule
  /** Words that the `scope` claim must contain, all of them; else 403 `permission_denied`. */
  scope?: string | readonly [string, ...string[]]
  /** Any valid token will do; without one 401 `not_authenticated`. */
  authenticated?: true
  /** Open to anonymous callers too; a bad token is still 401. What `requireAuthentication` asks for. */
  public?: true
  /** The plugin does not look at this route at all. */
  keycloak?: false

  /** Misspelled: write `permission`. */
  permissions?: never
  /** Misspelled: write `permission`. */
  permision?: never
  /** Misspelled: write `permission`. */
  permisions?: never
  /** Misspelled: write `permission`. */
  permisson?: never
  /** Misspelled: write `permission`. */
  premission?: never
  /** Misspelled: write `permission`. */
  persmission?: never
  /** Misspelled: write `permission`. */
  Permission?: never
  /** Misspelled: write `authenticated`. */
  authenticate?: never
  /** Misspelled: write `authenticated`. */
  autenticated?: never
  /** Misspelled: write `authenticated`. */
  authentificated?: never
  /** Misspelled: write `authenticated`. */
  Authenticated?: never
}
