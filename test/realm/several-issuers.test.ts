// Several issuers as a list: the unverified `iss` picks among the realms, and the realm that it picks decides.
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { IssuerOptions, SeveralIssuersOptions } from '../../types/options.js'
import { logging, realmFor, refusalsIn } from '../support/app.js'
import { reasonOf } from '../support/reasons.js'

/** The entry of a test realm. */
function entryOf ({ options: { issuer, clientId, clientSecret, audience } }: TestRealm): IssuerOptions {
  return { issuer, clientId, clientSecret, audience }
}

/** An API of the realms acme and globex. */
async function apiFor (t: Test, more: Partial<SeveralIssuersOptions> = {}, entries: Array<Partial<IssuerOptions>> = [], log: FastifyServerOptions = {}): Promise<{ app: FastifyInstance, acme: TestRealm, globex: TestRealm }> {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex', clientId: 'books' })]
  const app = Fastify(log)
  t.teardown(async () => app.close())
  await app.register(keycloak, {
    startCheck: false,
    issuers: [acme, globex].map((realm, at) => ({ ...entryOf(realm), ...entries[at] })),
    ...more
  })
  app.get('/who', async (request) => ({ user: request.user?.username, issuer: request.issuer, edits: request.hasPermission('edit') }))
  app.get('/edit', { config: { permission: 'edit' } }, async () => 'edited')
  app.get('/acme', { config: { issuer: 'acme' } }, async ({ issuer }) => issuer)
  app.get('/both', { config: { issuer: ['acme', 'globex'], scope: 'openid' } }, async ({ issuer }) => issuer)
  return { app, acme, globex }
}

/** The answers to requests that come twice and more, so that tokens are kept. */
async function answersOf (app: FastifyInstance, realm: TestRealm, url: string, as: string | object = {}): Promise<Array<[number, unknown]>> {
  const token = typeof as === 'string' ? as : realm.token(as)
  const answers: Array<[number, unknown]> = []
  for (let times = 0; times < 3; times++) {
    const response = await realm.inject(app, { as: token, url })
    answers.push([response.statusCode, response.statusCode === 200 ? response.body : response.json().code])
  }
  return answers
}

const thrice = (answer: [number, unknown]): Array<[number, unknown]> => [answer, answer, answer]

t.test('each token is judged by the realm that issued it', async (t) => {
  const { app, acme, globex } = await apiFor(t)
  const who = (issuer: string, edits: boolean): [number, string] => [200, JSON.stringify({ user: 'alice', issuer, edits })]
  t.same(await answersOf(app, acme, '/who', { roles: ['edit'] }), thrice(who('acme', true)))
  t.same(await answersOf(app, globex, '/who', { roles: ['edit'] }), thrice(who('globex', true)))
  t.same(await answersOf(app, globex, '/who'), thrice(who('globex', false)))
  t.same(await answersOf(app, globex, '/edit'), thrice([403, 'permission_denied']))
  t.same((await app.inject('/who')).json(), { issuer: null, edits: false })
})

t.test('no realm takes the word of another: its keys, its audience and its algorithms decide', async (t) => {
  const { app, acme, globex } = await apiFor(t, {}, [{ audience: 'api' }, { audience: 'books', algorithms: 'RS256' }])
  // Both sign by the same keys, as an attacker who has one realm's key would, but only one of them is the issuer.
  const claims = (iss: unknown): object => ({ claims: { iss } })
  t.same(await answersOf(app, acme, '/who', claims(`${acme.issuer}/`)), thrice([401, 'token_not_valid']))
  t.same(await answersOf(app, acme, '/who', claims('https://stranger.example/realms/acme')), thrice([401, 'token_not_valid']))
  for (const iss of [undefined, null, 5, [acme.issuer], { a: acme.issuer }, '']) t.same(await answersOf(app, acme, '/who', claims(iss)), thrice([401, 'token_not_valid']))
  t.same(await answersOf(app, acme, '/who', { claims: { aud: 'books' } }), thrice([401, 'token_not_valid']))
  acme.rotateKeys()
  const newKey = acme.token({ claims: { iss: globex.issuer, aud: 'books' } })
  t.same(await answersOf(app, globex, '/who', newKey), thrice([401, 'token_not_valid']))
})

t.test('the outage of one realm is 503 for its own tokens alone', async (t) => {
  const { app, acme, globex } = await apiFor(t)
  await globex.down()
  t.equal((await globex.inject(app, { as: {}, url: '/who' })).statusCode, 503)
  t.equal((await acme.inject(app, { as: {}, url: '/who' })).statusCode, 200)
  const health = app.keycloak.health()
  t.same([health.ok, health.keys.ok, health.issuers?.acme?.ok, health.issuers?.globex?.ok], [true, false, true, false])
  await acme.down()
  acme.rotateKeys()
  t.equal((await acme.inject(app, { as: {}, url: '/who' })).statusCode, 503)
  t.equal(app.keycloak.health().ok, true)
})

t.test('config.issuer demands a token of one of its realms', async (t) => {
  const { app, acme, globex } = await apiFor(t)
  t.same(await answersOf(app, acme, '/acme'), thrice([200, 'acme']))
  t.same(await answersOf(app, globex, '/acme'), thrice([403, 'permission_denied']))
  t.same(await answersOf(app, globex, '/both'), thrice([200, 'globex']))
  t.same((await app.inject('/acme')).json().code, 'not_authenticated')
  t.match(app.keycloak.routes().find(({ url }) => url === '/both'), { access: 'restricted', rule: 'issuer acme or globex and scope openid' })
})

t.test('a name that no issuer has, a wrong one and a misspelled key stop the start', async (t) => {
  const { app } = await apiFor(t)
  const add = (config: object): void => { app.get('/x', { config: config as never }, async () => 'x') }
  t.throws(() => add({ issuer: 'acmee' }), /GET \/x: config.issuer names "acmee", which no issuer is called; the names are "acme", "globex"/)
  for (const issuer of ['', [], [''], undefined, null, true, { acme: true }, [['acme']]]) t.throws(() => add({ issuer }), /config.issuer must be the name of an issuer/)
  t.throws(() => add({ issuers: ['acme'] }), /config.issuers is not known; write issuer/)
  t.throws(() => add({ issuer: 'acme', public: true }), /config.public goes with none of/)
  t.throws(() => add({ issuer: 'acme', keycloak: false }), /config.keycloak: false goes with none of/)
  t.throws(() => app.get('/x', { issuer: 'acme' } as never, async () => 'x'), /issuer stands beside config/)
})

t.test('selectIssuer ties a request to one realm', async (t) => {
  const names: Record<string, unknown> = { 'acme.example': 'acme', 'globex.example': 'globex', 'open.example': null }
  const { app, acme, globex } = await apiFor(t, { selectIssuer: ({ hostname }) => names[hostname] as string | null })
  const at = async (realm: TestRealm, host: string, token = realm.token()): Promise<number[]> => {
    const statuses: number[] = []
    for (let times = 0; times < 3; times++) statuses.push((await realm.inject(app, { as: token, url: '/who', headers: { host } })).statusCode)
    return statuses
  }
  t.same(await at(acme, 'acme.example'), [200, 200, 200])
  t.same(await at(acme, 'globex.example'), [401, 401, 401])
  t.same(await at(globex, 'open.example'), [200, 200, 200])
  t.match((await acme.inject(app, { as: {}, url: '/who', headers: { host: 'globex.example' } })).headers['www-authenticate'], 'realm="acme"')
  const kept = acme.token()
  t.same([...await at(acme, 'acme.example', kept), ...await at(acme, 'globex.example', kept)], [200, 200, 200, 401, 401, 401])
  names['wrong.example'] = 'stranger'
  names['promise.example'] = Promise.resolve('acme')
  names['number.example'] = 5
  for (const host of ['wrong.example', 'promise.example', 'number.example', 'undefined.example']) t.same(await at(acme, host), [500, 500, 500])
  t.equal((await app.inject({ url: '/who', headers: { host: 'wrong.example' } })).statusCode, 200)
})

t.test('selectIssuer works with one issuer too', async (t) => {
  const realm = await realmFor(t, { name: 'only' })
  const app = Fastify()
  t.teardown(async () => app.close())
  await app.register(keycloak, { ...realm.options, selectIssuer: ({ headers }) => headers['x-tenant'] === undefined ? 'only' : 'other' })
  app.get('/', async ({ issuer }) => issuer)
  t.equal((await realm.inject(app, { as: {}, url: '/' })).body, 'only')
  t.equal((await realm.inject(app, { as: {}, url: '/', headers: { 'x-tenant': 'x' } })).statusCode, 500)
})

t.test('challenges name the realm of the token, and verify() takes tokens of all realms', async (t) => {
  const { app, acme, globex } = await apiFor(t)
  const challengeOf = async (realm: TestRealm, url: string, as: object | null): Promise<string> => String((await realm.inject(app, { as, url })).headers['www-authenticate'])
  t.match(await challengeOf(globex, '/edit', {}), 'realm="globex"')
  t.match(await challengeOf(globex, '/edit', { expired: true }), 'realm="globex"')
  t.match(await challengeOf(acme, '/edit', null), 'realm="keycloak"')
  t.match(await challengeOf(acme, '/edit', { claims: { iss: 'https://a.example/realms/acme' } }), 'realm="keycloak"')
  t.equal(await reasonOf(app, acme.token({ claims: { iss: 'https://a.example/realms/acme' } })), 'issuer_unknown')
  t.equal((await app.keycloak.verify(globex.token())).iss, globex.issuer)
  const headersOf = async (token: string): Promise<unknown> => app.keycloak.verify(token).then(() => null, ({ headers }) => headers)
  t.match(await headersOf(acme.token({ expired: true })), { 'www-authenticate': /realm="acme"/ })
  t.match(await headersOf('x'), { 'www-authenticate': /realm="keycloak"/ })
})

t.test('the debug log tells why the issuer was refused', async (t) => {
  const log = logging()
  const { app, acme, globex } = await apiFor(t, { selectIssuer: ({ hostname }) => hostname === 'acme.example' ? 'acme' : null }, [], log)
  const lastReason = async (url: string, host: string, realm: TestRealm): Promise<unknown> => {
    await realm.inject(app, { as: {}, url, headers: { host } })
    return refusalsIn(log).at(-1)
  }
  t.match(await lastReason('/acme', 'open.example', globex), { reasonCode: 'issuer_denied', reason: 'the token is of the issuer "globex", and the route is for "acme"' })
  t.match(await lastReason('/who', 'acme.example', globex), { reasonCode: 'issuer_not_selected' })
  await acme.down()
  await lastReason('/who', 'acme.example', acme)
  t.match(log.lines.find(({ level, reason }) => level === 40 && reason !== undefined), { issuer: 'acme', reasonCode: 'connection_refused' })
})

t.test('an application that writes request.auth itself gets no roles by it', async (t) => {
  const { app } = await apiFor(t)
  app.get('/own', { preHandler: async (request) => { request.auth = { realm_access: { roles: ['edit'] } } as never } }, async ({ issuer }) => ({ issuer }))
  app.get('/own/rule', { preHandler: async (request) => { request.auth = { resource_access: { api: { roles: ['edit'] } } } as never } }, async (request) => request.hasPermission('edit'))
  t.equal((await app.inject('/own')).json().issuer, null)
  t.equal((await app.inject('/own/rule')).json(), false)
})

t.test('syncUser hears of the issuer, and each realm has its own claims for a user', async (t) => {
  const seen: string[] = []
  const { app, acme, globex } = await apiFor(t, {
    syncUser: (profile, { issuer }) => {
      seen.push(`${issuer} ${JSON.stringify(profile)}`)
      return profile
    }
  }, [{}, { userIdField: 'id', userIdClaim: 'sub', claimMapping: {} }])
  await acme.inject(app, { as: {}, url: '/who' })
  await globex.inject(app, { as: { sub: '4711' }, url: '/who' })
  t.match(seen, [/^acme \{"username":"alice"/, /^globex \{"id":"4711"\}$/])
})
