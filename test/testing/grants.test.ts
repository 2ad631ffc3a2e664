import { decodeJwt } from 'jose'
import t from 'tap'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import { apiFor, realmFor } from '../support/app.js'
import { realmWithLogin, tokensOf } from '../support/login.js'

type Resources = Record<string, { roles: string[] }>

const resourcesOf = (realm: TestRealm, spec: TokenSpec) => decodeJwt(realm.token(spec)).resource_access as Resources

t.test('a token has roles of other clients, which are in its aud', async (t) => {
  const realm = await realmFor(t)
  const claims = decodeJwt(realm.token({ roles: ['view'], clientRoles: { billing: ['reader', 'reader'], crm: [] } }))
  t.same(claims.resource_access, {
    account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] }, billing: { roles: ['reader'] }, api: { roles: ['view'] }
  })
  t.same(claims.aud, ['api', 'account', 'billing'])
  t.same(resourcesOf(realm, { roles: ['view'], clientRoles: { api: ['edit', 'view'] } }).api, { roles: ['view', 'edit'] })
  t.same(resourcesOf(realm, { clientRoles: { api: ['edit'] } }).api, { roles: ['edit'] })
  t.equal(decodeJwt(realm.token({ clientRoles: { account: [] } })).aud, 'api', 'an audience of one is a string')
})

t.test('a realm whose client is account replaces its default roles', async (t) => {
  const realm = await realmFor(t, { clientId: 'account' })
  t.same(resourcesOf(realm, { roles: ['own'] }), { account: { roles: ['own'] } })
  t.same(Object.keys(resourcesOf(realm, {})), ['account'])
})

t.test('groups and organizations are in the token as Keycloak\'s mappers write them', async (t) => {
  const realm = await realmFor(t)
  const claimsOf = (spec: TokenSpec) => decodeJwt(realm.token(spec))
  t.match(claimsOf({ groups: ['/staff/it'], organizations: ['acme'] }), {
    groups: ['/staff/it'], organization: ['acme'], scope: 'openid organization:acme email profile'
  })
  t.match(claimsOf({ organizations: { acme: { id: 'fe4e18bb', groups: ['/admins'], plan: ['gold'] }, globex: {} } }), {
    organization: { acme: { id: 'fe4e18bb', groups: ['/admins'], plan: ['gold'] }, globex: {} }, scope: 'openid organization:* email profile'
  })
  t.equal(claimsOf({ organizations: ['acme'], scope: 'openid' }).scope, 'openid')
  t.match(claimsOf({ kind: 'id', groups: ['/staff'], organizations: ['acme'] }), { groups: ['/staff'], organization: ['acme'] })
  for (const spec of [{}, { groups: [], organizations: [] }, { organizations: {} }]) {
    const claims = claimsOf(spec)
    t.notOk('groups' in claims || 'organization' in claims, 'a user in none has no claim')
    t.equal(claims.scope, 'openid email profile')
  }
})

t.test('authorizedParty is the client that the user logged in by, in each kind of token', async (t) => {
  const realm = await realmFor(t)
  for (const kind of ['access', 'at+jwt', 'lightweight', 'dpop', 'id', 'refresh', 'offline'] as const) {
    t.equal(decodeJwt(realm.token({ kind, authorizedParty: 'cli' })).azp, 'cli', kind)
  }
  t.equal(decodeJwt(realm.token({ kind: 'id', authorizedParty: 'cli' })).aud, 'cli')
  t.equal(decodeJwt(realm.token({ kind: 'logout', authorizedParty: 'cli' })).aud, 'cli')
  const parsed = decodeJwt(realm.token({ kind: 'at+jwt', authorizedParty: 'cli' }))
  t.notOk('client_id' in parsed, 'Keycloak writes azp alone')
})

t.test('introspection completes a lightweight token by them', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const spec = { kind: 'lightweight', authorizedParty: 'cli', clientRoles: { billing: ['reader'] }, groups: ['/staff'], organizations: { acme: { id: 'fe4e18bb' } } } as const
  t.notOk('organization' in decodeJwt(realm.token(spec)))
  t.match((await realm.inject(app, { as: spec, url: '/me' })).json().auth, {
    azp: 'cli', client_id: 'cli', resource_access: { billing: { roles: ['reader'] } }, groups: ['/staff'], organization: { acme: { id: 'fe4e18bb' } }
  })
})

t.test('a user who logs in has them too', async (t) => {
  const user = { password: 'alice-pw', clientRoles: { billing: ['reader'] }, groups: ['/staff'], organizations: ['acme'] }
  const realm = await realmWithLogin(t, { users: { alice: user } })
  t.match(decodeJwt((await tokensOf(realm)).access_token), { resource_access: { billing: { roles: ['reader'] } }, groups: ['/staff'], organization: ['acme'] })
})

t.test('a wrong one is refused in one sentence', async (t) => {
  const realm = await realmFor(t)
  const cases: Array<[spec: unknown, message: string]> = [
    [{ clientRoles: ['reader'] }, "clientRoles must be an object of clients and their roles, such as { billing: ['reader'] }, not an array."],
    [{ clientRoles: { billing: 'reader' } }, "clientRoles must be an object of clients and their roles, such as { billing: ['reader'] }, not an object."],
    [{ groups: '/staff' }, 'groups must be an array of strings, not a string.'],
    [{ organizations: 'acme' }, "organizations must be an array of aliases, or an object such as { acme: { groups: ['/admins'] } }, not a string."],
    [{ organizations: { acme: true } }, "organizations must be an array of aliases, or an object such as { acme: { groups: ['/admins'] } }, not an object."],
    [{ authorizedParty: ['web'] }, 'authorizedParty must be a string, not an array.'],
    [{ organisations: ['acme'] }, '"organisations" is unknown; write "organizations".'],
    [{ group: ['/staff'] }, '"group" is unknown; write "groups".']
  ]
  for (const [spec, message] of cases) t.throws(() => realm.token(spec as object), { name: 'TypeError', message: `TestRealm.token(): ${message}` })
})
