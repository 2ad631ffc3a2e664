import type { FastifyRequest } from 'fastify'
import type { PermissionName, ScopeName } from './declared.js'
import type { Claims } from './user.js'
import type { WriteInstead } from './write-instead.js'

/** Keeps a message about a name that was not declared short: without it, it would list what is left of the rule. */
type OneOf<Name extends string> = string extends Name ? never : WriteInstead<Name>

/**
 * A rule of your own: only `true` (or a promise of `true`) allows. What it throws is your application's error.
 *
 * @example
 * config: { permission: (claims, request) => claims.azp === 'web' }
 */
export type PermissionFunction = (claims: Claims, request: FastifyRequest) => boolean | Promise<boolean>

/** {@link PermissionFunction} for `request.hasPermission`: no promise. */
export type SyncPermissionFunction = (claims: Claims, request: FastifyRequest) => boolean

/** One of several rules is enough: `{ any: ['admin', ['read', 'write']] }`. */
export interface AnyRule {
  /** Those of which one is enough; not empty. */
  readonly any: readonly [PermissionRule, ...PermissionRule[]]
  /** One of `any` may be `{ all: […] }`. */
  readonly all?: WriteInstead<'any or all, which may hold the other'>
}

/** All of several rules, as an array of them says too: `{ all: ['read', 'write'] }`. */
export interface AllRules {
  /** Those that are needed; not empty. */
  readonly all: readonly [PermissionRule, ...PermissionRule[]]
  /** One of `all` may be `{ any: […] }`. */
  readonly any?: WriteInstead<'any or all, which may hold the other'>
}

/**
 * Who may call: a role, all of several, any of several, or a function; nested as you like.
 *
 * @example
 * 'read-profile'
 * ['read', 'write']
 * { any: ['admin', ['read', 'write']] }
 * (claims, request) => claims.azp === 'web'
 */
export type PermissionRule =
  | PermissionFunction
  | AnyRule
  | AllRules
  | PermissionName
  | OneOf<PermissionName>
  | readonly [PermissionRule, ...PermissionRule[]]

/** {@link AnyRule} for `request.hasPermission`. */
export interface SyncAnyRule {
  /** Those of which one is enough; not empty. */
  readonly any: readonly SyncPermissionRule[]
  /** One of `any` may be `{ all: […] }`. */
  readonly all?: WriteInstead<'any or all, which may hold the other'>
}

/** {@link AllRules} for `request.hasPermission`. */
export interface SyncAllRules {
  /** Those that are needed; not empty. */
  readonly all: readonly SyncPermissionRule[]
  /** One of `all` may be `{ any: […] }`. */
  readonly any?: WriteInstead<'any or all, which may hold the other'>
}

/** {@link PermissionRule} for `request.hasPermission`, which is synchronous: no promise in its functions. */
export type SyncPermissionRule =
  | PermissionName
  | readonly SyncPermissionRule[]
  | SyncAnyRule
  | SyncAllRules
  | SyncPermissionFunction

/** Words that the `scope` claim must contain, all of them: `'write'`, `['read', 'write']`. */
export type ScopeRule = ScopeName | OneOf<ScopeName> | readonly [ScopeName, ...ScopeName[]]

/**
 * What the plugin reads of a route's `config`. `permission` and `scope` go together; `public` and `keycloak` go with
 * none of the others. What means nothing or contradicts itself throws when the route is added.
 */
export interface KeycloakRouteConfig {
  /**
   * The roles a caller needs, read at the option `permissionPath`. A caller without them gets 403 `permission_denied`,
   * an anonymous one 401 `not_authenticated`.
   *
   * @example
   * permission: 'read-profile'                          // a role
   * permission: ['read', 'write']                       // all of them
   * permission: { any: ['admin', ['read', 'write']] }   // any of them
   * permission: (claims, request) => claims.azp === 'web'
   */
  permission?: PermissionRule
  /**
   * Words that the `scope` claim must contain, all of them; else 403 `permission_denied`, for an anonymous caller 401
   * `not_authenticated`.
   *
   * @example
   * scope: 'write'
   * scope: ['read', 'write']
   */
  scope?: ScopeRule
  /** Any valid token will do; without one 401 `not_authenticated`. */
  authenticated?: true | WriteInstead<'true, or leave it out'>
  /** Open to anonymous callers too; a bad token is still 401. What `requireAuthentication` asks for. */
  public?: true | WriteInstead<'true, or leave it out'>
  /** The plugin does not look at this route at all: `request.user` and `request.auth` are `null`, whatever the token. */
  keycloak?: false | WriteInstead<'false, or leave it out'>

  /** @deprecated Misspelled: write `permission`. */
  permissions?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permision?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permisions?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permisson?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  premission?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  persmission?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  Permission?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `authenticated`. */
  authenticate?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  autenticated?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  authentificated?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  Authenticated?: WriteInstead<'authenticated'>
}
