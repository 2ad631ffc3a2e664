// Each reason of a 403 for a rule on a claim: what is missing, where it was looked for, and the setting of Keycloak for it.
import t from 'tap'
import type { KeycloakOptions, KeycloakReasonCode, PermissionRule } from '../../index.js'
import { apiFor, bearer, logging, realmFor, refusalsIn } from '../support/app.js'

/** A rule, the claims of a caller, the code of the reason, and words of its sentence. */
type Case = [rule: PermissionRule, claims: Record<string, unknown>, code: KeycloakReasonCode, sentence: string | RegExp]

const LIGHTWEIGHT = { jti: 'onltro:1' }

const CASES: Case[] = [
  [{ realmRole: 'admin' }, { realm_access: { roles: ['x'] } }, 'realm_role_missing', /^permission realm role admin is not fulfilled: realm role admin is not among the roles at realm_access\.roles: assign it to the user/],
  [{ realmRole: 'admin' }, { realm_access: undefined }, 'realm_roles_absent', 'the token has no array of roles at realm_access.roles: give the client of the token the client scope "roles", whose mapper "realm roles" writes it'],
  [{ realmRole: 'admin' }, { realm_access: { roles: 'admin' } }, 'realm_roles_absent', 'no array of roles'],
  [{ realmRole: 'admin' }, { realm_access: undefined, ...LIGHTWEIGHT }, 'claim_lightweight', 'permission realm role admin is not fulfilled: the token is lightweight, without realm_access: set verifyTokensWithKeycloak: true'],
  [{ clientRole: 'reader', client: 'billing' }, { resource_access: { billing: { roles: ['x'] } } }, 'client_role_missing', 'client role reader is not among the roles at resource_access.billing.roles'],
  [{ clientRole: 'reader', client: 'a.b' }, { resource_access: { api: { roles: ['reader'] } } }, 'client_roles_absent', 'the token has no array of roles at ["resource_access","a.b","roles"]: assign a role of that client'],
  [{ clientRole: 'reader', client: 'billing' }, { resource_access: undefined, ...LIGHTWEIGHT }, 'claim_lightweight', 'without resource_access'],
  [{ group: '/staff/it' }, { groups: ['/staff'] }, 'group_missing', 'permission group /staff/it is not fulfilled: the group is not among the groups at groups: let the user join it'],
  [{ group: '/staff/**' }, {}, 'groups_absent', 'the token has no array of groups at groups: give the client of the token a mapper of the type "Group Membership"'],
  [{ group: '/staff' }, { groups: '/staff' }, 'groups_absent', 'no array of groups'],
  [{ group: '/staff' }, LIGHTWEIGHT, 'claim_lightweight', 'without groups'],
  [{ organization: 'acme' }, { organization: ['globex'] }, 'organization_missing', 'permission member of organization acme is not fulfilled: the claim organization does not name it'],
  [{ organization: { param: 'org' } }, { organization: ['globex'] }, 'organization_missing', 'permission member of the organization in :org is not fulfilled'],
  [{ organization: true }, {}, 'organization_absent', 'the token names no organization: let the user join one, and ask for the scope "organization:*" at login'],
  [{ organization: 'acme' }, LIGHTWEIGHT, 'claim_lightweight', 'without organization'],
  [{ organization: 'acme', role: 'admin' }, { organization: ['acme'] }, 'organization_role_missing', 'the user is a member without the role admin: give a group'],
  [{ organization: 'acme', role: 'admin' }, { organization: ['globex'] }, 'organization_missing', 'does not name it'],
  [{ organization: true, role: 'admin' }, { organization: { acme: { roles: ['x'] } } }, 'organization_role_missing', 'without the role admin'],
  [{ authorizedParty: 'web' }, { azp: 'cli' }, 'authorized_party_other', 'permission authorized party web is not fulfilled: azp "cli" is not the client of the rule'],
  [{ authorizedParty: 'web' }, { azp: 'c\nli' }, 'authorized_party_other', 'azp is not the client of the rule'],
  [{ scope: 'write' }, { scope: 'read' }, 'scope_missing', 'scope write is missing in the claim scope of the token'],
  [{ scope: 'write' }, { scope: undefined }, 'scope_claim_missing', 'the token has no claim scope'],
  [{ scope: 'write' }, { scope: ['write'] }, 'scope_claim_not_string', 'the claim scope is an array'],
  [['mine', { realmRole: 'admin' }, { scope: 'x' }], { resource_access: { api: { roles: ['mine'] } } }, 'realm_role_missing', 'permission all of (mine, realm role admin, scope x) is not fulfilled: realm role admin is not among'],
  [['mine', { realmRole: 'admin' }], {}, 'roles_absent', 'permission all of (mine, realm role admin) is not fulfilled by the roles at resource_access.api.roles'],
  [[{ any: [{ group: '/a' }, { group: '/b' }] }], { groups: ['/c'] }, 'group_missing', 'permission all of (any of (group /a, group /b)) is not fulfilled'],
  [{ any: [() => false, { group: '/a' }] }, { groups: ['/c'] }, 'group_missing', 'permission any of (a function, group /a)'],
  [{ any: [{ group: '/a' }, { realmRole: 'x' }] }, {}, 'alternatives_missing', 'permission any of (group /a, realm role x) is not fulfilled: none of its alternatives is'],
  [[() => false, { realmRole: 'admin' }], { realm_access: { roles: ['admin'] } }, 'rule_not_fulfilled', 'permission all of (a function, realm role admin) is not fulfilled'],
  [{ any: [() => false, async () => false] }, {}, 'rule_not_fulfilled', 'permission any of (a function, a function) is not fulfilled']
]

t.test('a 403 says which rule, what is missing, where, and what mends it', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { audience: null, userIdClaim: 'sid' }, log)
  for (const [at, [permission]] of CASES.entries()) app.get(`/rule/${at}/:org`, { config: { permission } }, async () => 'ok')
  for (const [at, [rule, claims, code, sentence]] of CASES.entries()) {
    await app.inject({ url: `/rule/${at}/acme`, headers: bearer(realm.token({ claims })) })
    t.match(refusalsIn(log).at(-1), { reasonCode: code, reason: sentence }, JSON.stringify(rule))
  }
})

t.test('a parameter of the request is not in the log', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, { ...log, disableRequestLogging: true })
  app.get('/of/:org', { config: { permission: { organization: { param: 'org' } } } }, async () => 'ok')
  await app.inject({ url: '/of/my-very-own-name', headers: bearer(realm.token({ organizations: ['acme'] })) })
  t.match(log.text, 'organization_missing')
  t.notMatch(log.text, 'my-very-own-name')
})

t.test('a function is not asked a second time for the reason, and permissionPath not without need', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  let asked = 0
  const options: Partial<KeycloakOptions> = { permissionPath: () => { asked++; return [] } }
  const app = await apiFor(t, realm, options, log)
  app.get('/function', { config: { permission: [() => { asked++; return false }, { realmRole: 'x' }] } }, async () => 'ok')
  await app.inject({ url: '/function', headers: bearer(realm.token()) })
  t.equal(asked, 1)
  t.match(log.text, 'realm_role_missing')
})
