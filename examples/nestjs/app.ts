import 'reflect-metadata'
import { type CanActivate, Controller, type ExecutionContext, Get, HttpException, Module, Req, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyRequest } from 'fastify'
import keycloak, { bearerToken, type DefaultUser, KeycloakError, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { Access, CurrentUser, KeycloakErrorFilter, Permission, Public } from './keycloak.js'

/** Nest's guards run after the plugin. One that throws a KeycloakError is answered as the plugin's rules are; `false` has no code. */
class KitchenGuard implements CanActivate {
  canActivate (context: ExecutionContext): boolean {
    const request: FastifyRequest = context.switchToHttp().getRequest()
    if (!request.hasPermission('cook')) throw new KeycloakError('permission_denied', 'only cooks enter the kitchen')
    return true
  }
}

@Controller()
class OrdersController {
  @Get('menu')
  @Public()
  menu (@CurrentUser() user: DefaultUser | null): object {
    return { soup: 4.5, hello: user?.username }
  }

  @Get('orders')
  orders (@CurrentUser() user: DefaultUser): object {
    return { of: user.username }
  }

  @Get('accounts')
  @Permission('reader')
  accounts (): object {
    return { total: 1200 }
  }

  @Get('refunds')
  @Permission('reader')
  @Access({ scope: 'refund' })
  refunds (): object {
    return { total: 3 }
  }

  @Get('kitchen')
  @UseGuards(KitchenGuard)
  kitchen (): object {
    return { stove: 'on' }
  }

  @Get('closed')
  closed (): never {
    throw new HttpException('Closed on Mondays', 410)
  }

  /** A token that the plugin did not look at; a bad one is refused all the same. */
  @Get('whoami')
  @Access({ keycloak: false })
  async whoami (@Req() request: FastifyRequest): Promise<object> {
    const token = bearerToken(request)
    return { sub: token === null ? null : (await request.server.keycloak.verify(token)).sub }
  }
}

@Module({ controllers: [OrdersController] })
class AppModule {}

export async function buildApp (options: KeycloakOptions): Promise<NestFastifyApplication> {
  // Fastify's own logger, for the plugin's warnings: Nest's is another. Middleware would run before the plugin; if there is
  // some, register @fastify/middie after it.
  const adapter = new FastifyAdapter({ logger: { level: process.env.LOG_LEVEL ?? 'warn' }, skipMiddie: true })
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: ['error', 'warn'] })
  // Before init() and listen(), which add the routes. Closed unless a method says otherwise.
  await app.register(keycloak, { ...options, requireAuthentication: true })
  app.useGlobalFilters(new KeycloakErrorFilter(app.getHttpAdapter()))
  return app
}
