// What an application on NestJS needs once: a decorator for routes, one for the user, and a filter for refusals.
import { type ArgumentsHost, Catch, createParamDecorator, type ExecutionContext, HttpException } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { RouteConfig } from '@nestjs/platform-fastify'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'

/** Who may call a method: RouteConfig, which takes anything, with the types of the plugin. Of a class it says nothing. */
export const Access = (config: FastifyContextConfig): MethodDecorator => RouteConfig(config)

/** The user of the request; `null` for anonymous callers of routes that let them in. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<FastifyRequest>().user
})

/** Hands refusals back to Fastify: Nest's own filter leaves out their code. */
@Catch(HttpException, KeycloakError)
export class KeycloakErrorFilter extends BaseExceptionFilter {
  catch (error: HttpException | KeycloakError, host: ArgumentsHost): void {
    // Nest 12 makes an HttpException of a 401 and a 403.
    const refusal = error instanceof HttpException ? error.cause : error
    if (refusal instanceof KeycloakError) host.switchToHttp().getResponse<FastifyReply>().send(refusal)
    else super.catch(error, host)
  }
}
