import type { FastifyInstance } from 'fastify'

/** The API: what an application of yours would have. */
export function addRoutes (app: FastifyInstance): void {
  app.get('/hello', { schema: { summary: 'Open to everybody' } },
    async ({ user }) => ({ hello: user?.username ?? 'stranger' }))

  app.get('/me', { schema: { summary: 'Any valid token' }, config: { authenticated: true } },
    async ({ user, auth }) => ({ user, expires: new Date(auth.exp * 1000).toISOString() }))

  app.get('/profile', { schema: { summary: 'The role read-profile of the API\'s client' }, config: { permission: 'read-profile' } },
    async ({ user }) => ({ profile: user.username }))

  app.get('/documents/:owner', { schema: { summary: 'Your own, or with that role everybody\'s' }, config: { authenticated: true } },
    async (request, reply) => {
      const { owner } = request.params as { owner: string }
      if (owner !== request.user.username && !request.hasPermission('read-profile')) {
        return reply.code(403).send({ statusCode: 403, code: 'not_yours', error: 'Forbidden', message: 'This is not yours.' })
      }
      return { documents: [`a letter to ${owner}`] }
    })
}
