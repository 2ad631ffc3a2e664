// What an application on NestJS needs once: a decorator for routes, one for the user, and a filter for refusals.
import { type ArgumentsHost, Catch, createParamDecorator, type ExceptionFilter, type ExecutionContext } from '@nestjs/common'
import { RouteConfig } from '@nestjs/platform-fastify'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'

/** Who may call a method: RouteConfig, which takes anything, with the types of the plugin. Of a class it says nothing. */
export const Access = (config: FastifyContextConfig): MethodDecorator => RouteConfig(config)

/** The user of the request; `null` for anonymous callers of routes that let them in. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<FastifyRequest>().user
})

/** Hands refusals back to Fastify: Nest's own filter leaves out their code, and logs each as an error. */
@Catch(KeycloakError)
export class KeycloakErrorFilter implements ExceptionFilter<KeycloakError> {
  catch (error: KeycloakError, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<FastifyReply>().send(error)
  }
}
