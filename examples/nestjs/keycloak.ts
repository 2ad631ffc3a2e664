// What an application on NestJS needs once: decorators for rules, one for the user, and a filter for refusals.
import { type ArgumentsHost, Catch, createParamDecorator, type ExecutionContext, HttpException } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { RouteConfig } from '@nestjs/platform-fastify'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { KeycloakError, type PermissionRule } from 'fastify-keycloak-bearer'

/**
 * The config of each method so far, by its class and name: of two @RouteConfig before a method Nest forgets one, without a word. Not by its
 * function, which a decorator between two of these may replace.
 */
const configs = new WeakMap<object, Map<string | symbol, FastifyContextConfig>>()

/**
 * Who may call a method: RouteConfig with the types of the plugin. Several before one method go together.
 * @throws {TypeError} before a class, where Nest ignores it, and for two rules of one kind
 */
export function Access (config: FastifyContextConfig): MethodDecorator {
  return (target, name, descriptor) => {
    if (descriptor === undefined) throw new TypeError('@Access, @Permission and @Public stand before a method, not before a class')
    const methods = configs.get(target) ?? new Map<string | symbol, FastifyContextConfig>()
    const earlier = methods.get(name) ?? {}
    const twice = Object.keys(config).find((key) => key in earlier)
    if (twice !== undefined) throw new TypeError(`${String(name)} has ${twice} twice`)
    const together = { ...earlier, ...config }
    configs.set(target, methods.set(name, together))
    RouteConfig(together)(target, name, descriptor)
  }
}

/** A role, or another rule of the plugin. */
export const Permission = (permission: PermissionRule): MethodDecorator => Access({ permission })

/** Anonymous callers may call too. */
export const Public = (): MethodDecorator => Access({ public: true })

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
