// A plugin that is loaded from its file.
import type { FastifyInstance } from 'fastify'

export default async function plugin (api: FastifyInstance) {
  api.get('/loaded', { config: { authenticated: true } }, async (request) => request.user.username)
}
