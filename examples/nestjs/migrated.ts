// The application of docs/migrating-from-nest-keycloak-connect.md after the migration.
import 'reflect-metadata'
import { Controller, Get, HttpCode, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyRequest } from 'fastify'
import keycloak, { type DefaultUser, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { Access, CurrentUser, KeycloakErrorFilter } from './keycloak.js'

@Controller()
class AppController {
  @Get('health')
  @Access({ keycloak: false })               // @Public()
  health (): object { return { ok: true } }

  @Get('news')
  @Access({ public: true })                  // @Public(false)
  news (@CurrentUser() user: DefaultUser | null): object { return { for: user?.username ?? 'everybody' } }

  @Get('me')                                 // any valid token, by requireAuthentication
  me (@CurrentUser() user: DefaultUser): object { return { username: user.username } }

  @Get('claims')
  claims (@Req() request: FastifyRequest): object { return { client: request.auth?.azp } }

  @Get('profile')
  @Access({ permission: { any: ['read-profile', 'support'] } }) // @Roles({ roles: ['read-profile', 'support'] })
  profile (): object { return { ok: true } }

  @Get('admin')
  @Access({ permission: ['read-profile', { realmRole: 'admin' }] }) // … roles: ['read-profile', 'realm:admin'], mode: RoleMatchingMode.ALL
  admin (): object { return { ok: true } }

  @Post('orders')
  @HttpCode(201)
  @Access({ scope: 'write' })                // a guard of your own
  orders (): object { return { ok: true } }
}

@Module({ controllers: [AppController] })
class AppModule {}

export async function buildMigratedApp (options: KeycloakOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ logger: { level: process.env.LOG_LEVEL ?? 'warn' }, skipMiddie: true })
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: ['error', 'warn'] })
  await app.register(keycloak, { ...options, requireAuthentication: true }) // before init() and listen()
  app.useGlobalFilters(new KeycloakErrorFilter(app.getHttpAdapter()))
  return app
}
