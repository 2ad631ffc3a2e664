// The login that a route demands (RFC 9470), in the OpenAPI document.
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { openapi } from '../../index.js'

t.test('401 says which login a route demands, and nothing of it on other routes', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {}, transform: openapi() })
  await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', audience: 'api' })
  const handler = () => 'done'
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/payments', { config: { acr: 'gold', maxAge: 300 } }, handler)
  app.get('/profile', { config: { permission: 'reader', maxAge: 60 } }, handler)
  await app.ready()
  const { paths } = app.swagger() as unknown as { paths: Record<string, { get: { responses: Record<string, { description: string }> } }> }
  const says = (url: string) => paths[url]!.get.responses[401]!.description
  t.equal(says('/me'), 'No access token, or one that is not valid.')
  t.equal(says('/payments'), 'No access token, or one that is not valid. Or `insufficient_user_authentication`: the route demands another login, `acr gold and maxAge 300 s`, which the challenge names in `acr_values` and `max_age`.')
  t.match(says('/profile'), '`maxAge 60 s`')
})
