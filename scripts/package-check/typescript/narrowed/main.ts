// An application declares the types of its users and claims once.
import Fastify, { type FastifyRequest } from 'fastify'
import keycloak, { type KeycloakRequest } from 'fastify-keycloak-bearer'

interface Account {
  id: number
  email: string | null
}

declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    user: Account
    claims: { tenant: string }
  }
}

const app = Fastify()
app.register(keycloak, {
  issuer: 'https://sso.example.com/realms/acme',
  async syncUser ({ email }, { claims, request }) {
    request.log.info(claims.tenant.toUpperCase())
    return { id: claims.exp, email: typeof email === 'string' ? email : null }
  }
})
app.get('/me', { config: { permission: ({ tenant }) => tenant === 'acme' } }, async ({ user, auth }) => {
  const account: Account = user
  const tenant: string = auth.tenant
  return { account, tenant, subject: auth.sub?.toUpperCase() }
})
app.get('/open', async ({ user, auth }) => {
  const account: Account | null = user
  const tenant: string | undefined = auth?.tenant
  // @ts-expect-error an open route may have no user
  return { account, tenant, id: user.id }
})
// @ts-expect-error the default user's property is none of this one's
app.get('/name', { config: { authenticated: true } }, async ({ user }) => user.username)
// @ts-expect-error not an account
app.register(keycloak, { issuer: '', syncUser: () => ({ username: 'alice' }) })

const own = ({ user }: KeycloakRequest<{ authenticated: true }>) => user.id
const any = (request: FastifyRequest) => request.user?.id
app.get('/own', { config: { authenticated: true } }, async (request) => [own(request), any(request)])
