// A rule that means nothing throws when the route is added, and where it is asked: in one sentence that says what to write.
import t from 'tap'
import { apiFor, bearer, realmFor } from '../support/app.js'

const RULE = 'must be a role name, an array of rules, { any: [...] }, { all: [...] }, an object such as { realmRole: "admin" } or a function, not an object'
const TWO = 'write an array of objects for all of them, or { any: [...] }'
const NAMES = 'any, all, realmRole, clientRole, group, organization, authorizedParty, scope, uma'
const ORGANIZATION = '.organization must be the alias of an organization, true for any, or { param: "org" } for the one that a parameter of the route names, not'
const WORD = '.scope must be a word of the scope claim such as "write", not'

class Getter { get realmRole () { return 'admin' } }
class Inherits extends Getter { scope = 'write' }

/** Wrong rules, and the sentence behind the name of the rule. */
const CASES: Array<[rule: unknown, sentence: string]> = [
  [{}, ` ${RULE} without a rule`],
  [{ realmrole: 'a' }, ` ${RULE} with the key "realmrole"; write realmRole`],
  [{ realm_role: 'a' }, ` ${RULE} with the key "realm_role"; write realmRole`],
  [{ realmRoles: ['a'] }, ` ${RULE} with the key "realmRoles"; write realmRole`],
  [{ clientrole: 'a', client: 'b' }, ` ${RULE} with the key "clientrole"; write clientRole`],
  [{ clientRole: 'a', clientId: 'b' }, ` ${RULE} with the key "clientId"; write client`],
  [{ groups: '/a' }, ` ${RULE} with the key "groups"; write group`],
  [{ Group: '/a' }, ` ${RULE} with the key "Group"; write group`],
  [{ org: 'a' }, ` ${RULE} with the key "org"; write organization`],
  [{ organisation: 'a' }, ` ${RULE} with the key "organisation"; write organization`],
  [{ organizations: 'a' }, ` ${RULE} with the key "organizations"; write organization`],
  [{ organization: 'a', roles: 'b' }, ` ${RULE} with the key "roles"; write role: "admin", one role in the organization`],
  [{ roles: ['b'] }, ` ${RULE} with the key "roles"; write a role of this API as a string, or { realmRole: "admin" }`],
  [{ issuer: 'acme' }, ` ${RULE} with the key "issuer"; write config: { issuer: "acme" } beside permission`],
  [{ organization: 'a', rolle: 'b' }, ` ${RULE} with the key "rolle"; write role`],
  [{ azp: 'web' }, ` ${RULE} with the key "azp"; write authorizedParty`],
  [{ authorisedParty: 'web' }, ` ${RULE} with the key "authorisedParty"; write authorizedParty`],
  [{ scopes: 'a' }, ` ${RULE} with the key "scopes"; write scope`],
  [{ anyOf: ['a'] }, ` ${RULE} with the key "anyOf"; write any`],
  [{ and: ['a'] }, ` ${RULE} with the key "and"; write all`],
  [{ not: 'a' }, ` ${RULE} with the key "not"; write a function instead`],
  [{ permission: 'a' }, ` ${RULE} with the key "permission"; write a role of this API as a string, or { realmRole: "admin" }`],
  [{ xyzzy: 'a' }, ` ${RULE} with the key "xyzzy"; write one of ${NAMES}`],
  [{ ['k'.repeat(99)]: 'a' }, ` ${RULE} with the key "${'k'.repeat(40)}"; write one of ${NAMES}`],
  [{ realmRole: 'a', extra: 1 }, ` ${RULE} with the key "extra"; write one of ${NAMES}`],
  [{ realmRole: 'a', [Symbol('scope')]: 'b' }, ` ${RULE} with the key "Symbol(scope)"; write one of ${NAMES}`],
  [Object.defineProperty({ realmRole: 'a' }, 'hidden', { value: 1 }), ` ${RULE} with the key "hidden"; write one of ${NAMES}`],
  [JSON.parse('{ "realmRole": "a", "__proto__": "b" }'), ` ${RULE} with the key "__proto__"; write one of ${NAMES}`],
  [new Map([['realmRole', 'a']]), ` ${RULE} without a rule`],
  [new Getter(), ` ${RULE} that inherits realmRole; write it as a member of its own`],
  [new Inherits(), ` ${RULE} that inherits realmRole; write it as a member of its own`],
  [Object.create({ organization: 'acme' }), ` ${RULE} that inherits organization; write it as a member of its own`],
  [Object.assign(Object.create({ role: 'admin' }), { organization: 'acme' }), ` ${RULE} that inherits role; write it as a member of its own`],
  [{ realmRole: 'a', scope: 'b' }, ` must be one rule, not an object with realmRole and scope; ${TWO}`],
  [{ any: ['a'], scope: 'b' }, ` must be one rule, not an object with any and scope; ${TWO}`],
  [{ organization: 'a', realmRole: 'b', group: 'c' }, ` must be one rule, not an object with organization and realmRole; ${TWO}`],
  [{ realmRole: 'a', scope: undefined }, ` must be one rule, not an object with realmRole and scope; ${TWO}`],
  [{ any: 'a' }, ' must be { any: [...] } with an array of rules, not an object whose any is a string'],
  [{ all: { 0: 'a' } }, ' must be { all: [...] } with an array of rules, not an object whose all is an object'],
  [{ role: 'a' }, ` ${RULE} with role; role goes with organization alone`],
  [{ realmRole: 'a', role: 'b' }, ` ${RULE} with realmRole and role; role goes with organization alone`],
  [{ client: 'a' }, ` ${RULE} with client; client goes with clientRole alone`],
  [{ realmRole: 'a', client: 'b' }, ` ${RULE} with realmRole and client; client goes with clientRole alone`],
  [{ any: ['a'], role: 'b' }, ` ${RULE} with any and role; role goes with organization alone`],
  [{ realmRole: '' }, '.realmRole must be the name of a realm role, not an empty string'],
  [{ realmRole: ['a'] }, '.realmRole must be the name of a realm role, not an array'],
  [{ realmRole: undefined }, '.realmRole must be the name of a realm role, not undefined'],
  [{ clientRole: 'a' }, '.client must be the id of the client that has the role, not undefined'],
  [{ clientRole: 'a', client: '' }, '.client must be the id of the client that has the role, not an empty string'],
  [{ clientRole: 5, client: 'a' }, '.clientRole must be the name of a role of the client, not a number'],
  [{ authorizedParty: null }, '.authorizedParty must be the id of the client that asks for tokens, not null'],
  [{ scope: '' }, `${WORD} an empty string`],
  [{ scope: ['a'] }, `${WORD} an array`],
  [{ scope: 'a b' }, `${WORD} a string with blanks, quotes or other characters that no scope has`],
  [{ scope: 'a"' }, `${WORD} a string with blanks, quotes or other characters that no scope has`],
  [{ organization: false }, `${ORGANIZATION} false`],
  [{ organization: '' }, `${ORGANIZATION} an empty string`],
  [{ organization: ['acme'] }, `${ORGANIZATION} an array`],
  [{ organization: {} }, `${ORGANIZATION} an object`],
  [{ organization: { params: 'org' } }, `${ORGANIZATION} an object`],
  [{ organization: { param: 'org', role: 'a' } }, `${ORGANIZATION} an object`],
  [{ organization: Object.create({ param: 'org' }) }, `${ORGANIZATION} an object`],
  [{ organization: { param: '' } }, '.organization.param must be the name of a parameter of the route, not an empty string'],
  [{ organization: { param: 5 } }, '.organization.param must be the name of a parameter of the route, not a number'],
  [{ organization: 'a', role: '' }, '.role must be the name of a role in the organization, not an empty string'],
  [{ organization: 'a', role: undefined }, '.role must be the name of a role in the organization, not undefined'],
  [{ organization: true, role: ['a'] }, '.role must be the name of a role in the organization, not an array'],
  [{ group: '' }, '.group must be the path of a group such as "/staff/it", or "/staff/**" for the group and all below it, not an empty string'],
  [{ group: ['/a'] }, '.group must be the path of a group such as "/staff/it", or "/staff/**" for the group and all below it, not an array'],
  ...['/', '//', '/staff/', '/staff//it', '//staff', 'staff//**', '//**'].map((group): [unknown, string] =>
    [{ group }, '.group has an empty segment; write it as Keycloak shows the path of the group, such as "/staff/it"']),
  ...['*', '/*', '/staff/*', '/staff/**/it', '/sta**', '/**/**', '***'].map((group): [unknown, string] =>
    [{ group }, '.group has an asterisk in another place than a last "/**", which stands for all groups below'])
]

t.test('when the route is added', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  for (const [permission, sentence] of CASES) {
    const add = (config: object): void => { app.get('/wrong', { config }, async () => 'ok') }
    t.throws(() => add({ permission }), { name: 'TypeError', message: `fastify-keycloak-bearer: GET /wrong: config.permission${sentence}` }, sentence)
    t.throws(() => add({ permission: ['a', { any: [permission] }] }), { message: `fastify-keycloak-bearer: GET /wrong: config.permission[1].any[0]${sentence}` }, sentence)
  }
})

t.test('in hasPermission and isAllowed', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  let rule: unknown
  app.get('/has', async (request) => request.hasPermission(rule as never))
  app.get('/allowed', async (request) => request.isAllowed(rule as never))
  for (const [wrong, sentence] of CASES) {
    rule = wrong
    for (const [url, name] of [['/has', 'hasPermission'], ['/allowed', 'isAllowed']]) {
      const { statusCode, message } = (await app.inject({ url: url!, headers: bearer(realm.token()) })).json()
      t.same([statusCode, message], [500, `The rule of ${name}${sentence}`])
    }
  }
})

t.test('seventeen levels are one too many', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  const nested = (levels: number): unknown => levels === 0 ? { realmRole: 'a' } : { any: [nested(levels - 1)] }
  app.get('/16', { config: { permission: nested(16) as never } }, async () => 'ok')
  t.throws(() => app.get('/17', { config: { permission: nested(17) as never } }, async () => 'ok'), { message: /nests rules more than 16 deep; write a function instead/ })
})
