import type { FastifyOtelInstrumentation } from '@fastify/otel'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { Registry } from 'prom-client'
import { prometheusMetrics } from './prometheus.js'

/** @param otel the plugin of @fastify/otel, which must come first */
export async function buildApp (options: KeycloakOptions, otel?: ReturnType<FastifyOtelInstrumentation['plugin']>): Promise<FastifyInstance> {
  const app = Fastify()
  if (otel !== undefined) await app.register(otel)
  const registry = new Registry()
  const end = prometheusMetrics(registry)
  app.addHook('onClose', async () => end())
  await app.register(keycloak, options)
  // Let your proxy keep strangers away from it, or listen on a port of its own.
  app.get('/metrics', { config: { keycloak: false } }, async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  app.get('/orders/:id', { config: { permission: 'read-orders' } }, async () => ({ total: 5 }))
  return app
}
