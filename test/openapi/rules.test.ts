// The rules of routes in the words of the document.
import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { type KeycloakRouteConfig, openapi } from '../../index.js'

const issuers = ['acme', 'globex'].map((name) => ({ issuer: `https://sso.example.com/realms/${name}`, clientId: 'api', clientSecret: 'api-secret', audience: 'api', uma: true as const }))

/** The routes, and the words of their 403. */
const RULES: ReadonlyArray<[config: KeycloakRouteConfig, words: string]> = [
  [{ permission: { realmRole: 'admin' } }, 'permission realm role admin'],
  [{ permission: { clientRole: 'reader', client: 'billing' } }, 'permission client role reader of billing'],
  [{ permission: { group: '/staff/**' } }, 'permission group /staff/**'],
  [{ permission: { organization: 'acme', role: 'owner' } }, 'permission member of organization acme with role owner'],
  [{ permission: { any: [{ organization: true }, { authorizedParty: 'cli' }] } }, 'permission any of (member of an organization, authorized party cli)'],
  [{ permission: { scope: 'write' } }, 'permission scope write'],
  [{ permission: ['reader', { uma: 'invoice#write' }] }, 'permission all of (reader, uma invoice#write)'],
  [{ permission: 'reader', issuer: ['acme', 'globex'], scope: 'read' }, 'permission reader and issuer acme or globex and scope read']
]

t.test('the 403 of a route says its rule of any kind, in the words of routes()', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Letters', version: '1.0.0' } }, transform: openapi({ scheme: 'oauth2', issuers }) })
  await app.register(keycloak, { issuers })
  for (const [at, [config]] of RULES.entries()) app.get(`/${at}`, { config }, () => 'done')
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  t.strictSame(await new Validator().validate(document), { valid: true })
  for (const [at, [, words]] of RULES.entries()) {
    t.equal(document.paths[`/${at}`].get.responses[403].description, `The access token does not grant the required permission: \`${words}\`.`)
    t.equal(app.keycloak.routes().find(({ url }) => url === `/${at}`)!.rule, words)
  }
})
