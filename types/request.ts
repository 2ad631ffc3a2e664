import type { SyncPermissionRule } from './rules.js'
import type { Claims, User } from './user.js'

/** Does this route config demand a token? */
type Demanding = { permission: unknown } | { scope: unknown } | { authenticated: unknown }

/** `T` where the route's config demands a token, else `T | null`. */
type Guarded<ContextConfig, T> = ContextConfig extends Demanding ? T : T | null

/**
 * What the plugin adds to a request. A handler that stands elsewhere than its route asks for what it needs by it:
 * `KeycloakRequest<{ authenticated: true }>` has a user.
 */
export interface KeycloakRequest<ContextConfig = unknown> {
  /** Who calls: `null` for an anonymous request, never `null` where the route's config demands a token. */
  user: Guarded<ContextConfig, User>
  /** The verified claims, deeply frozen; `null` for an anonymous request. */
  auth: Guarded<ContextConfig, Claims>
  /**
   * Does the caller fulfil the rule? For checks on an object in a handler. An anonymous caller never does.
   * @throws {TypeError} for a rule that means nothing, or an asynchronous function
   */
  hasPermission (rule: SyncPermissionRule): boolean
}
