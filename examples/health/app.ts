import underPressure, { type FastifyUnderPressureOptions } from '@fastify/under-pressure'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { standings, type Part } from './parts.js'

/** All of them have defaults. */
export interface HealthOptions {
  /** The parts whose failure takes an instance out of the load balancer. Default: keys and revocation. */
  critical?: readonly Part[]
  /** Limits of load. */
  pressure?: FastifyUnderPressureOptions
}

/** In the config of a route: it is answered under pressure too. */
const whateverThePressure = { pressureHandler: async () => {} }

export async function buildApp (options: KeycloakOptions, { critical = ['keys', 'revocation'], pressure }: HealthOptions = {}) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  const parts = () => standings(app.keycloak.health())

  // Before the plugin: a request too many is refused before its token is looked at.
  await app.register(underPressure, {
    maxEventLoopDelay: 1000,
    healthCheckInterval: 500,
    // Called for the first time here, when the plugin is not there yet.
    healthCheck: async () => app.hasDecorator('keycloak') && critical.every((part) => parts()[part] !== 'failing'),
    async pressureHandler (_request, reply, type) {
      // By default a failed health check refuses every request. The plugin does so for those that carry a token, and says
      // why; the others have no need of Keycloak.
      if (type === underPressure.TYPE_HEALTH_CHECK) return
      reply.header('retry-after', '10')
      throw Object.assign(new Error('Too many requests at once, try again later.'), { statusCode: 503, code: 'overloaded' })
    },
    ...pressure
  })

  // preload: the keys are fetched at start, and tried again until they are there. Otherwise the first request fetches them,
  // which never comes to an instance that is not ready.
  await app.register(keycloak, { ...options, jwks: { preload: 'warn', ...options.jwks } })

  // Is this process stuck? It then is started anew, which brings back no Keycloak, and throws away the keys it has.
  app.get('/live', { config: { keycloak: false, ...whateverThePressure } }, async () => ({ live: true }))

  // Should this instance get requests?
  app.get('/ready', { config: { keycloak: false, ...whateverThePressure } }, async (_request, reply) => {
    const ready = !app.isUnderPressure()
    return reply.code(ready ? 200 : 503).send({ ready, parts: parts() })
  })

  app.get('/menu', async () => ({ menu: ['tea'] }))
  app.get('/orders', { config: { authenticated: true } }, async ({ user }) => ({ ordersOf: user.username }))

  return app
}
