import type {
  FastifyReply, FastifyRequest, FastifySchema, FastifyTypeProviderDefault, RawReplyDefaultExpression,
  RawRequestDefaultExpression, RawServerDefault, RouteGenericInterface
} from 'fastify'
import type { SyncPermissionRule } from './rules.js'
import type { Claims, User } from './user.js'

/** Does this route config demand a token? What may be `undefined` does not. */
type RequiresToken = { permission: {} } | { scope: {} } | { authenticated: {} }

/** `T` where the route's config demands a token, else `T | null`. */
type Guarded<ContextConfig, T> = ContextConfig extends RequiresToken ? T : T | null

/**
 * What the plugin adds to a request. A handler that stands elsewhere than its route asks for what it needs by it:
 * `KeycloakRequest<{ authenticated: true }>` has a user.
 *
 * @example
 * export const hello = async ({ user }: KeycloakRequest<{ authenticated: true }>) => ({ hello: user.username })
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

/**
 * A handler that stands elsewhere than its route, for any route whose config demands a token.
 *
 * Generic in the config, since a function whose parameter is a FastifyRequest or FastifyReply of no config decides for
 * TypeScript that the route has none.
 *
 * @example
 * export const hello: AuthenticatedHandler = async (request, reply) => reply.send({ hello: request.user.username })
 */
export type AuthenticatedHandler<RouteGeneric extends RouteGenericInterface = RouteGenericInterface> = <ContextConfig>(
  request: KeycloakRequest<{ authenticated: true }> & FastifyRequest<
    RouteGeneric, RawServerDefault, RawRequestDefaultExpression, FastifySchema, FastifyTypeProviderDefault, ContextConfig
  >,
  reply: FastifyReply<
    RouteGeneric, RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, ContextConfig
  >
) => unknown
