import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { mercurius, type MercuriusOptions } from 'mercurius'
import { directives, guardFields } from './access.js'
import { endWithToken, handleProtocols, tokenOf } from './connection.js'
import { guardIntrospection, hideSchema } from './introspection.js'
import { createResolvers, schema } from './orders.js'

/**
 * A GraphQL API with public fields.
 * @param options more options of mercurius, such as `ide: true`
 */
export async function buildApp (realm: KeycloakOptions, options: MercuriusOptions = {}) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  // mercurius would register @fastify/websocket itself, and would then agree to the first subprotocol of a client, even to its token.
  await app.register(websocket, { options: { handleProtocols, maxPayload: 64 * 1024 } })
  await app.register(keycloak, {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    ...realm,
    extractToken: tokenOf,
    requireAuthentication: true
  })
  await app.register(mercurius, {
    schema: directives + schema,
    resolvers: createResolvers(),
    context: (request) => ({ request }),
    subscription: {
      context (socket, request) {
        endWithToken(socket, request)
        return {}
      }
    },
    // Anonymous callers reach the endpoint, and each field decides. Without this line, all of GraphQL needs a token.
    additionalRouteOptions: { config: { public: true } },
    errorFormatter: hideSchema,
    queryDepth: 8,
    graphql: { parseOptions: { maxTokens: 1000 } },
    ...options
  })
  app.graphql.addHook('preExecution', guardIntrospection)
  // When all plugins have extended the schema.
  app.addHook('onReady', async () => guardFields(app.graphql.schema))
  return app
}
