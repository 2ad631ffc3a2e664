import { fastifyTRPCPlugin, type FastifyTRPCPluginOptions } from '@trpc/server/adapters/fastify'
import Fastify from 'fastify'
import keycloak, { KeycloakError, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { type AppRouter, appRouter } from './router.js'
import { createContext, errorResponse } from './trpc.js'

/** An API of tRPC with procedures for everybody, for users, and for users with a permission. */
export async function buildApp (options: KeycloakOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' }, forceCloseConnections: true })
  await app.register(keycloak, {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    ...options,
    requireAuthentication: true
  })

  await app.register(async (scope) => {
    // Anonymous callers reach tRPC, and each procedure decides. Without this line, all procedures need a token.
    scope.addHook('onRoute', (route) => { route.config = { ...route.config, public: true } })
    // A bad token is refused before tRPC sees the request.
    scope.setErrorHandler((error, _request, reply) => {
      if (!(error instanceof KeycloakError)) throw error
      return reply.send(errorResponse(error, appRouter._def._config))
    })
    await scope.register(fastifyTRPCPlugin, {
      prefix: '/trpc',
      trpcOptions: {
        router: appRouter,
        createContext,
        maxBatchSize: 10,
        // RFC 9110 section 15.5.2: a 401 has a challenge.
        responseMeta: ({ errors }) => errors.some(({ code }) => code === 'UNAUTHORIZED') ? { headers: new Headers({ 'www-authenticate': 'Bearer realm="orders"' }) } : {}
      }
    } satisfies FastifyTRPCPluginOptions<AppRouter>)
  })

  return app
}
