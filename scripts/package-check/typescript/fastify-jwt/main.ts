// With @fastify/jwt, whose types declare request.user by FastifyJWT.
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import keycloak, { type Claims, type User } from 'fastify-keycloak-bearer'

declare module '@fastify/jwt' {
  interface FastifyJWT { user: User }
}

const app = Fastify()
app.register(jwt, { secret: 'a secret of the test', decoratorName: 'jwtUser' })
app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme' })
app.get('/me', { config: { authenticated: true } }, async (request) => {
  const user: User = request.user
  const claims: Claims = request.auth
  return { user, claims }
})
app.get('/open', async (request) => {
  // @ts-expect-error request.auth knows still that there may be none
  const claims: Claims = request.auth
  return claims
})
