import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { refuseAmbiguousPath } from './paths.js'
import { proxyOptions } from './upstream.js'

/** A gateway that checks tokens for the services behind it. */
export async function buildApp (options: KeycloakOptions, { shop, reports }: { shop: string, reports: string }) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  app.addHook('onRequest', refuseAmbiguousPath)
  await app.register(keycloak, {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    ...options,
    requireAuthentication: true
  })

  await app.register(proxy, proxyOptions({ prefix: '/catalog', upstream: shop, config: { public: true } }))
  await app.register(proxy, proxyOptions({ prefix: '/orders', upstream: shop, config: { authenticated: true }, websocket: true }))
  await app.register(proxy, proxyOptions({ prefix: '/admin', upstream: shop, config: { permission: 'admin' } }))
  // This service checks the token itself, so the audience of the token must name it too.
  await app.register(proxy, proxyOptions({ prefix: '/reports', upstream: reports, config: { authenticated: true }, forwardToken: true }))

  return app
}
