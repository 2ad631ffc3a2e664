// Handlers, hooks and whole routes that are declared apart from their app.get.
import type { FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import type { AuthenticatedHandler, Claims, KeycloakRequest, User } from 'fastify-keycloak-bearer'

/** The members of a caller that a handler needs. */
export type WithUser = KeycloakRequest<{ authenticated: true }>

export async function hello ({ user }: WithUser) {
  return { hello: user.username }
}

export async function owner (request: FastifyRequest<{ Params: { owner: string } }> & WithUser, reply: FastifyReply) {
  if (request.params.owner !== request.user.username) return reply.code(403).send()
  return { until: request.auth.exp }
}

export const remove: AuthenticatedHandler = async (request, reply) => {
  request.log.info({ by: request.auth.sub }, request.user.username)
  return reply.code(204).send()
}

export const rename: AuthenticatedHandler<{ Params: { owner: string }, Body: { to: string } }> = async ({ params, body, user }, reply) => {
  // @ts-expect-error misspelled
  reply.header('by', user.usrname)
  return [params.owner.length, body.to.length, user.username]
}

export const anybody: RouteHandlerMethod = async (request) => {
  const user: User | null = request.user
  // @ts-expect-error there may be no user
  request.log.info(request.user.username)
  return { user }
}

export async function audit (request: WithUser & Pick<FastifyRequest, 'log'>) {
  const { azp }: Claims = request.auth
  request.log.info({ azp }, request.user.username)
}

/** A route as an object: `as const` keeps its method, and its config types the handler. */
export const profile = {
  method: 'GET',
  url: '/profile',
  config: { permission: 'read-profile' },
  preHandler: audit,
  handler: hello
} as const

/** With `satisfies`, the fifth parameter is the config. */
export const me = {
  method: 'GET',
  url: '/me',
  config: { authenticated: true },
  handler: async (request) => ({ hello: request.user.username })
} satisfies RouteOptions<any, any, any, any, { authenticated: true }>

/** A bare RouteOptions has no type of its config. */
export const bare = {
  method: 'GET',
  url: '/bare',
  config: { authenticated: true },
  // @ts-expect-error there may be no user
  handler: async (request) => ({ hello: request.user.username })
} satisfies RouteOptions

export const misspelled = {
  method: 'GET',
  url: '/misspelled',
  // @ts-expect-error misspelled
  config: { permision: 'a' },
  handler: anybody
} satisfies RouteOptions
