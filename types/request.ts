import type {
  FastifyReply, FastifyRequest, FastifySchema, FastifyTypeProviderDefault, RawReplyDefaultExpression,
  RawRequestDefaultExpression, RawServerDefault, RouteGenericInterface
} from 'fastify'
import type { AuthenticationDemand } from './authentication.js'
import type { IssuerName } from './declared.js'
import type { PermissionRule, SyncPermissionRule } from './rules.js'
import type { UmaGrant } from './uma.js'
import type { Claims, User } from './user.js'

/** An organization that the caller is a member of, as the claim `organization` describes it. Frozen. */
export interface Organization {
  /** The alias, which never changes in Keycloak. */
  readonly alias: string
  /** The id, if the mapper has "Add organization id" on. */
  readonly id?: string
  /**
   * The caller's roles in the organization: `realm_access.roles` in it, which are the roles of the caller's groups of the
   * organization; and `roles`. If the token has attributes of organizations, one of them can be called `roles`: docs/who-may.md
   * says what is safe.
   */
  readonly roles: readonly string[]
  /** The paths of the caller's groups of the organization. If no mapper writes groups, an attribute may take their place. */
  readonly groups: readonly string[]
  /** All other lists of the organization: its attributes, if the mapper has "Add organization attributes" on. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

/** The route configs that demand a token. A member that may be `undefined` does not; `mcp` does not beside `public`. */
type RequiresToken = { permission: {} } | { scope: {} } | { issuer: {} } | { senderConstrained: {} } | { acr: {} } | { maxAge: {} } | { authenticated: {} } | { mcp: {}, public?: never }

/** `T` if the route's config demands a token, else `T | null`. One conditional type: TypeScript 5.5 takes nested ones of both formats for two. */
type Guarded<ContextConfig, T> = ContextConfig extends RequiresToken ? T : T | null

/**
 * The members that the plugin adds to a request. A handler that is written apart from its route declares by it that it needs
 * a user: `KeycloakRequest<{ authenticated: true }>`.
 *
 * @example
 * export const hello = async ({ user }: KeycloakRequest<{ authenticated: true }>) => ({ hello: user.username })
 */
export interface KeycloakRequest<ContextConfig = unknown> {
  /**
   * The caller: the object that `syncUser` returned, else a frozen object of the mapped claims. `null` for an anonymous
   * request; never `null` if the route's config has `permission`, `scope`, `issuer`,
   * `senderConstrained`, `acr`, `maxAge` or `authenticated`.
   */
  user: Guarded<ContextConfig, User>
  /** The verified claims, deeply frozen; with introspection, the current ones. `null` if and only if `user` is `null`. */
  auth: Guarded<ContextConfig, Claims>
  /** The name of the issuer of the token: of the option `issuers`, or the realm's name. `null` if and only if `user` is `null`. */
  readonly issuer: Guarded<ContextConfig, IssuerName>
  /**
   * Fires when the token of the request ends: for connections that outlive their request's decision, such as WebSocket, server-sent
   * events and long polls. Its `reason` is the KeycloakError that a request would get then: `token_expired` within a second of
   * `exp` plus `leeway`; `token_not_valid` at a logout, a not-before date, and when the key or the realm of the token was withdrawn.
   * Keycloak is not asked, and its outage fires nothing. It is made when it is read first, and fires no more once the response has
   * ended. `null` if and only if `user` is `null`.
   *
   * @example
   * request.authSignal.addEventListener('abort', () => socket.close(4401, request.authSignal.reason.code))
   */
  readonly authSignal: Guarded<ContextConfig, AbortSignal>
  /**
   * Does the caller fulfil the rule? For checks in a handler that depend on an object. `false` for an anonymous caller.
   *
   * @example
   * if (request.params.owner !== request.user.username && !request.hasPermission('view-all')) return reply.code(403).send()
   *
   * @throws {TypeError} for a value that is not a rule, or an asynchronous function
   */
  hasPermission (rule: SyncPermissionRule): boolean
  /**
   * The same for all rules, also asynchronous ones. `false` for an anonymous caller.
   *
   * @example
   * if (!await request.isAllowed({ any: ['view-all', async (claims) => isOwner(claims.sub)] })) return reply.code(403).send()
   *
   * @throws {TypeError} (a rejection) for a value that is not a rule
   */
  isAllowed (rule: PermissionRule): Promise<boolean>
  /**
   * Is the caller's login strong and recent enough? For checks in a handler that depend on an object, such as an amount.
   * `false` for an anonymous caller. If it is not, throw {@link insufficientUserAuthentication}.
   *
   * @example
   * if (amount > 1000 && !request.hasAuthentication({ acr: 'gold', maxAge: 300 })) {
   *   throw insufficientUserAuthentication({ acr: 'gold', maxAge: 300 })
   * }
   *
   * @throws {TypeError} for a demand that means nothing, and for a level that the option `acrLevels` does not have
   */
  hasAuthentication (demand: AuthenticationDemand): boolean
  /**
   * The permissions that Keycloak's Authorization Services grant to the caller, of those that are asked for, or of all: in one call,
   * for lists of many resources. A grant has the scopes of those asked for that the caller has. Empty for an anonymous caller. Needs the option `uma`.
   * @param permissions up to 100, such as `['invoice:7#read']`. Left out: all permissions, also of resources that users own, whose
   *   names can be those of others
   * @throws {KeycloakError} (a rejection) `keycloak_unavailable` (503); `token_not_valid`, `token_expired` (401) if the token has ended
   * @throws {TypeError} (a rejection) for other values, and without the option
   *
   * @example
   * const granted = await request.umaPermissions(invoices.map(({ id }) => `invoice:${id}#read`))
   * const names = new Set(granted.map(({ name }) => name))
   * return invoices.filter(({ id }) => names.has(`invoice:${id}`))
   */
  umaPermissions (permissions?: readonly string[]): Promise<readonly UmaGrant[]>
  /** The organizations that the token names; empty for an anonymous caller, and without a claim `organization`. Frozen. */
  readonly organizations: readonly Organization[]
}

/**
 * A handler that is written apart from its route, for any route whose config demands a token.
 *
 * The type is generic in the config, because TypeScript takes a route to have no config if the parameters of its handler
 * are a FastifyRequest or FastifyReply without one.
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
