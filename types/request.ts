import type { SyncPermissionRule } from './rules.js'
import type { Claims, User } from './user.js'

/** Does this route config demand a token? What may be `undefined` does not. */
type Demanding = { permission: {} } | { scope: {} } | { authenticated: {} }

/** `T` where the route's config demands a token, else `T | null`. */
type Guarded<ContextConfig, T> = ContextConfig extends Demanding ? T : T | null

/**
 * What the plugin adds to a request. A handler that stands elsewhere than its route asks for what it needs by it:
 * `KeycloakRequest<{ authenticated: true }>` has a user.
 *
 * @example
 * import type { FastifyRequest } from 'fastify'
 * import type { KeycloakRequest } from 'fastify-keycloak-bearer'
 *
 * export async function hello (request: FastifyRequest & KeycloakRequest<{ authenticated: true }>) {
 *   return { hello: request.user.username, from: request.ip }
 * }
 */
export interface KeycloakRequest<ContextConfig = unknown> {
  /**
   * Who calls: what `syncUser` returned, else a frozen object of the mapped claims. `null` for an anonymous request;
   * never `null` where the route's config has `permission`, `scope` or `authenticated`.
   */
  user: Guarded<ContextConfig, User>
  /** The verified claims, deeply frozen; under introspection those of now. `null` just where `user` is. */
  auth: Guarded<ContextConfig, Claims>
  /**
   * Does the caller fulfil the rule? For checks on an object in a handler. An anonymous caller never does.
   *
   * @example
   * if (request.params.owner !== request.user.username && !request.hasPermission('view-all')) return reply.code(403).send()
   *
   * @throws {TypeError} for a rule that means nothing, or an asynchronous function
   */
  hasPermission (rule: SyncPermissionRule): boolean
}
