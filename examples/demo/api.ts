import type { FastifyInstance } from 'fastify'

/** The name of the second realm, whose users are not ours. */
export const PARTNERS = 'partners'

/**
 * The API: what an application of yours would have.
 * @param hasPartners does it trust the second realm?
 */
export function addRoutes (app: FastifyInstance, hasPartners: boolean): void {
  app.get('/hello', { schema: { summary: 'Open to everybody' } },
    async ({ user }) => ({ hello: user?.username ?? 'stranger' }))

  app.get('/me', { schema: { summary: 'Any valid token' }, config: { authenticated: true } },
    async ({ user, auth }) => ({ user, expires: new Date(auth.exp * 1000).toISOString() }))

  app.get('/profile', { schema: { summary: 'The role read-profile of the API\'s client' }, config: { permission: 'read-profile' } },
    async ({ user }) => ({ profile: user.username }))

  app.get('/documents/:owner', { schema: { summary: 'Your own, or with that role everybody\'s' }, config: { authenticated: true } },
    async (request, reply) => {
      const { owner } = request.params as { owner: string }
      const isOwn = owner === request.user.username && request.issuer !== PARTNERS
      if (!isOwn && !request.hasPermission('read-profile')) {
        return reply.code(403).send({ statusCode: 403, code: 'not_yours', error: 'Forbidden', message: 'This is not yours.' })
      }
      return { documents: [`a letter to ${owner}`] }
    })

  app.get('/vault', { schema: { summary: 'A second factor, of the last minute' }, config: { acr: 'gold', maxAge: 60 } },
    async ({ user }) => ({ vault: user.username }))

  // A rule cannot name a realm that the plugin does not know.
  if (!hasPartners) return
  app.get('/partners', { schema: { summary: 'A token of the realm partners' }, config: { issuer: PARTNERS } },
    async ({ user, issuer }) => ({ hello: user.username, of: issuer }))
}
