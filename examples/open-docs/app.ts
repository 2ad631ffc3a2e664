import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { api } from './api.js'

const PUBLIC = new URL('public/', import.meta.url)

/** An API that is closed by default, and around it what is open: documentation and the files of a page. */
export async function buildApp (realm: KeycloakOptions, app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })) {
  // First, since it documents the routes that come after it.
  await app.register(swagger, { openapi: { info: { title: 'Tea shop', version: '1.0.0' } }, transform: keycloak.openapi() })

  // The plugin holds for this scope alone.
  await app.register(api, { prefix: '/api', realm })

  // Outside of it: as open as if there were no plugin.
  await app.register(swaggerUi, { routePrefix: '/docs' })
  // What begins with a dot is not served, which by default it would be.
  await app.register(fastifyStatic, { root: PUBLIC, dotfiles: 'ignore' })

  return app
}
