/* eslint-disable @typescript-eslint/no-unused-vars -- an augmented interface repeats all parameters of the original */
import type {
  ContextConfigDefault, FastifyBaseLogger, FastifyTypeProvider, FastifyTypeProviderDefault,
  RawRequestDefaultExpression, RawServerBase, RawServerDefault, RouteGenericInterface
} from 'fastify'
import type { FastifyRequestType, ResolveFastifyRequestType } from 'fastify/types/type-provider.js'
import type { KeycloakInstance } from './instance.js'
import type { Guarded, KeycloakRouteConfig, SyncPermissionRule } from './rules.js'
import type { Claims, User } from './user.js'

declare module 'fastify' {
  interface FastifyContextConfig extends KeycloakRouteConfig {}

  interface FastifyInstance {
    /** fastify-keycloak-bearer: verify tokens of other transports, list routes, tell health. */
    keycloak: KeycloakInstance
  }

  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    RequestType extends FastifyRequestType = ResolveFastifyRequestType<TypeProvider, SchemaCompiler, RouteGeneric>
  > {
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
}
