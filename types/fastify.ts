/* eslint-disable @typescript-eslint/no-unused-vars -- an augmented interface repeats all parameters of the original */
// FastifySchema is renamed here, because @fastify/swagger declares it inside the module that is augmented below.
import type {
  ContextConfigDefault, FastifyBaseLogger, FastifySchema as Schema, FastifyTypeProvider, FastifyTypeProviderDefault,
  RawRequestDefaultExpression, RawServerBase, RawServerDefault, RouteGenericInterface
} from 'fastify'
import type { FastifyRequestType, ResolveFastifyRequestType } from 'fastify/types/type-provider.js'
import type { KeycloakInstance } from './instance.js'
import type { KeycloakRequest } from './request.js'
import type { KeycloakRouteConfig } from './route-config.js'

declare module 'fastify' {
  interface FastifyContextConfig extends KeycloakRouteConfig {}

  interface FastifyInstance {
    /** fastify-keycloak-bearer: verify tokens of other transports, list routes, report health. */
    keycloak: KeycloakInstance
  }

  // Inherited, so that the `user` of another plugin, such as @fastify/jwt, overrides this one without a conflict.
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends Schema = Schema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    RequestType extends FastifyRequestType = ResolveFastifyRequestType<TypeProvider, SchemaCompiler, RouteGeneric>
  > extends KeycloakRequest<ContextConfig> {}
}
