import type { FastifyInstance } from 'fastify'

/** A line of Fastify's printed tree: its depth in steps of four characters, a piece of a URL, the methods. */
const LINE = /^((?:[│ ] {3})*)[├└]── (.*?)(?: \(([A-Z, -]+)\)(?: \{.*)?)?$/

/** How many routes the warning names. */
const NAMED = 5

/**
 * Routes added before the plugin had loaded are guarded, but onRoute did not see them: say so at start.
 * Fastify lists its routes in print alone. The `OPTIONS *` of @fastify/cors belongs there.
 */
export function warnOfEarlierRoutes (fastify: FastifyInstance): void {
  const routes = listed(fastify.printRoutes({ commonPrefix: false }))
    .filter(({ url, methods }) => url.startsWith(fastify.prefix) && !(url === '*' && methods === 'OPTIONS'))
    .map(({ url, methods }) => `${methods} ${url}`)
  if (routes.length === 0) return
  const named = routes.slice(0, NAMED).join('; ') + (routes.length > NAMED ? '; …' : '')
  fastify.log.warn(`routes were added before fastify-keycloak-bearer had loaded (${named}). In its scope they are guarded, but a mistake in their config shows only at their first request, and keycloak.routes() lists them only from then on: write \`await fastify.register(keycloak, …)\` before the first route`)
}

function listed (tree: string): Array<{ url: string, methods: string }> {
  const parents: string[] = []
  const routes = []
  for (const line of tree.split('\n')) {
    const [, indent, piece, methods] = LINE.exec(line) ?? []
    if (piece === undefined) continue
    const depth = indent!.length / 4
    const url = (parents[depth - 1] ?? '') + piece
    parents[depth] = url
    if (methods !== undefined) routes.push({ url, methods })
  }
  return routes
}
