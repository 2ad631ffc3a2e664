// Rules under several issuers: each token's roles, groups and scopes are read as the options of its own realm say.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { ask, bearer, realmFor } from '../support/app.js'

const DENIED = '403 permission_denied'

t.test('a rule reads the claims of each realm by the options of that realm', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex', clientId: 'books' })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, {
    scopeImplies: { admin: ['read'] },
    issuers: [
      { issuer: acme.issuer, clientId: 'api', audience: 'api' },
      { issuer: globex.issuer, clientId: 'books', audience: 'books', groupsClaim: 'teams', permissionPath: 'realm_access.roles', scopeImplies: { root: ['read'] } }
    ]
  })
  app.get('/role', { config: { permission: 'x' } }, async () => 'ok')
  app.get('/group', { config: { permission: { group: '/x' } } }, async () => 'ok')
  app.get('/read', { config: { scope: 'read' } }, async () => 'ok')
  app.get('/asks', async (request) => [
    request.hasPermission('x'), request.hasPermission({ group: '/x' }), await request.isAllowed({ scope: 'read' }), request.organizations.map(({ alias }) => alias)
  ])
  const cases: Array<[token: string, answers: unknown[]]> = [
    [acme.token({ roles: ['x'], realmRoles: [], groups: ['/x'], scope: 'admin', organizations: ['one'] }), [true, true, true, ['one']]],
    [acme.token({ realmRoles: ['x'], claims: { teams: ['/x'] }, scope: 'root' }), [false, false, false, []]],
    [globex.token({ realmRoles: ['x'], claims: { teams: ['/x'] }, scope: 'root', organizations: ['two'] }), [true, true, true, ['two']]],
    [globex.token({ roles: ['x'], realmRoles: [], groups: ['/x'], scope: 'admin' }), [false, false, false, []]]
  ]
  for (let times = 0; times < 3; times++) {
    for (const [token, answers] of cases) {
      t.same((await app.inject({ url: '/asks', headers: bearer(token) })).json(), answers)
      for (const [at, url] of ['/role', '/group', '/read'].entries()) t.equal(await ask(app, url, token), answers[at] ? '200' : DENIED, url)
    }
  }
  t.same((await app.inject('/asks')).json(), [false, false, false, []])
})
