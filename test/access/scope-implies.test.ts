// scopeImplies: a scope that stands for others, in config.scope, rules and hasPermission.
import t from 'tap'
import { apiFor, ask, bearer, logging, realmFor, refusalOf } from '../support/app.js'

const DENIED = '403 permission_denied'
const scopeImplies = { 'mcp:admin': ['mcp:tools', 'mcp:read'], 'mcp:tools': ['mcp:list'], constructor: ['mcp:list'] }

t.test('a scope counts for those that it stands for, through others too, and never the other way round', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { scopeImplies })
  for (const scope of ['mcp:admin', 'mcp:tools', 'mcp:list', 'mcp:read', 'other']) {
    const path = scope.replace(':', '-')
    app.get(`/config/${path}`, { config: { scope } }, async () => 'ok')
    app.get(`/rule/${path}`, { config: { permission: { scope } } }, async () => 'ok')
    app.get(`/has/${path}`, async (request) => [request.hasPermission({ scope }), await request.isAllowed({ any: [{ scope }] })])
  }
  app.get('/both', { config: { scope: ['mcp:list', 'mcp:read'] } }, async () => 'ok')
  const grants: Array<[scope: string, allowed: string[]]> = [
    ['mcp:admin', ['mcp:admin', 'mcp:tools', 'mcp:list', 'mcp:read']], ['mcp:tools', ['mcp:tools', 'mcp:list']], ['mcp:list', ['mcp:list']], ['mcp:read', ['mcp:read']],
    ['other mcp:read', ['other', 'mcp:read']], ['MCP:ADMIN', []], ['mcp:admin,x', []], ['constructor', ['mcp:list']], ['__proto__', []]
  ]
  for (const [scope, allowed] of grants) {
    const token = realm.token({ scope })
    for (const word of ['mcp:admin', 'mcp:tools', 'mcp:list', 'mcp:read', 'other']) {
      for (const kind of ['config', 'rule']) t.equal(await ask(app, `/${kind}/${word.replace(':', '-')}`, token), allowed.includes(word) ? '200' : DENIED, `${kind}: ${scope} for ${word}`)
      t.same((await app.inject({ url: `/has/${word.replace(':', '-')}`, headers: bearer(token) })).json(), [allowed.includes(word), allowed.includes(word)])
    }
  }
  t.equal(await ask(app, '/both', realm.token({ scope: 'mcp:admin' })), '200')
  t.equal(await ask(app, '/both', realm.token({ scope: 'mcp:tools' })), DENIED)
})

t.test('without the option a scope stands for itself alone', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/tools', { config: { scope: 'mcp:tools' } }, async () => 'ok')
  t.equal(await ask(app, '/tools', realm.token({ scope: 'mcp:admin' })), DENIED)
})

t.test('the reason and the challenge of a 403 name the scopes that are asked for', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { scopeImplies }, log)
  app.get('/both', { config: { scope: ['mcp:list', 'mcp:read'] } }, async () => 'ok')
  const { headers } = await app.inject({ url: '/both', headers: bearer(realm.token({ scope: 'mcp:tools' })) })
  t.match(headers['www-authenticate'], /scope="mcp:list mcp:read"$/)
  t.match(log.text, 'scope mcp:read is missing in the claim scope of the token')
})

t.test('what means nothing stops the start with one sentence', async (t) => {
  const issuer = 'https://sso.example.com/realms/acme'
  const WHAT = "option \"scopeImplies\" must be an object of scopes and the scopes that each stands for, such as { 'mcp:admin': ['mcp:tools'] }, not"
  const cases: Array<[unknown, string]> = [
    ['a', `${WHAT} a string`], [null, `${WHAT} null: leave it out instead`], [['a'], `${WHAT} an array`],
    [{ a: 'b' }, 'option "scopeImplies.a" must be an array of the scopes that it stands for, not a string'],
    [{ a: [] }, 'option "scopeImplies.a" must be an array of the scopes that it stands for, not an empty array'],
    [{ a: [5] }, 'option "scopeImplies.a.0" must be a word of the scope claim such as "write", not 5'],
    [{ a: ['b c'] }, 'option "scopeImplies.a.0" must be a word of the scope claim such as "write", not another string'],
    [{ 'a b': ['c'] }, `${WHAT} one with a key that is no word of a scope claim`], [{ '': ['c'] }, `${WHAT} one with a key that is no word of a scope claim`],
    [{ a: ['a'] }, `${WHAT} one with a circle: a > a`],
    [{ x: ['a'], a: ['b', 'c'], b: ['d'], c: ['a'] }, `${WHAT} one with a circle: a > c > a`]
  ]
  for (const [value, sentence] of cases) t.equal(await refusalOf({ issuer, scopeImplies: value }), `fastify-keycloak-bearer: ${sentence}`)
  const GROUPS = 'option "groupsClaim" must be the name or path of a claim, such as "groups", not'
  for (const [value, found] of [[5, '5'], ['', 'an empty string'], ['a..b', 'one with an empty segment'], [[], 'an empty array'], ['https://x.y/z', 'a URL, which its dots would take apart: write an array of one segment']] as const) {
    t.equal(await refusalOf({ issuer, groupsClaim: value }), `fastify-keycloak-bearer: ${GROUPS} ${found}`)
  }
})

t.test('words may lead to one from several sides', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { scopeImplies: { top: ['left', 'right'], left: ['end'], right: ['end'] } })
  app.get('/end', { config: { scope: 'end' } }, async () => 'ok')
  for (const scope of ['top', 'left', 'right', 'end']) t.equal(await ask(app, '/end', realm.token({ scope })), '200', scope)
})
