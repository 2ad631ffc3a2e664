import type { FastifyContextConfig, FastifyInstance, FastifySchema, HTTPMethods } from 'fastify'

const METHODS = ['GET', 'HEAD', 'OPTIONS'] satisfies HTTPMethods[]

/** Everybody may read the document, pages of all origins too: browsers ask before a request with MCP-Protocol-Version. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': METHODS.join(', '),
  'access-control-allow-headers': '*, Authorization',
  'access-control-max-age': '86400'
}

/** Seconds for which caches keep the document. A new version of the API may change its scopes. */
const MAX_AGE = 3600

/** Switches this plugin and @fastify/cors off for the route: whatever the application allows to origins, the document is public. */
const CONFIG = { keycloak: false, cors: false } as FastifyContextConfig

/**
 * Serves a public JSON document.
 * @throws {Error} if the application has such a route already
 */
export function addDocumentRoute (fastify: FastifyInstance, url: string, document: () => object): void {
  const taken = METHODS.find((method) => fastify.hasRoute({ method, url }))
  if (taken !== undefined) throw new Error(`fastify-keycloak-bearer: the route ${taken} ${url} is there already; leave it out, since the option resource serves it`)
  fastify.route({
    method: METHODS,
    url,
    exposeHeadRoute: false,
    config: CONFIG,
    schema: { hide: true } as FastifySchema,
    handler: async (request, reply) => {
      reply.headers(CORS)
      if (request.method === 'OPTIONS') return reply.code(204).send()
      return reply.headers({ 'cache-control': `public, max-age=${MAX_AGE}`, 'content-type': 'application/json; charset=utf-8' }).send(JSON.stringify(document()))
    }
  })
}
