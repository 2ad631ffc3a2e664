import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type Claims, type KeycloakOptions } from 'fastify-keycloak-bearer'

declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    user: { id: string, email: string }
    claims: { tenant: string }
  }
}

// A rule that is a function goes by its name in app.keycloak.routes().
const isAcme = ({ tenant }: Claims): boolean => tenant === 'acme'

/** The API; what differs between production and tests is given to it. */
export async function buildApp (keycloakOptions: KeycloakOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(swagger, { openapi: {}, transform: keycloak.openapi() })
  await app.register(keycloak, {
    userIdField: 'id',
    userIdClaim: 'sub',
    claimMapping: { email: 'email' },
    requireAuthentication: true,
    ...keycloakOptions
  })

  app.get('/health', { config: { public: true } }, async () => ({ ok: true }))

  app.get('/me', async (request) => ({ user: request.user }))

  app.get('/report', { config: { permission: isAcme } },
    async (request) => ({ report: request.auth.tenant }))

  app.put('/settings', { config: { permission: { any: ['admin', ['settings:read', 'settings:write']] } } }, async () => ({ saved: true }))

  return app
}
