// What config.acr and config.maxAge may be, and what is refused when the route is added: none of it may leave a route open.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, logging, realmFor } from '../support/app.js'
import { polluted } from '../support/pollution.js'

const ok = async () => 'ok'
const LEVEL = 'config.acr must be a level of authentication such as "gold", or an array of such levels; a level has no spaces, quotes and backslashes'
const AGE = 'config.maxAge must be a whole number of seconds from 1, not '

/** The value, and the sentence after the name of the route. */
const WRONG: Array<[config: object, sentence: string]> = [
  ...[undefined, null, '', 'gold silver', 'go"ld', 'go\\ld', 'gold\n', 'gôld', 5, true, {}, [], [''], ['gold', 5], [['gold']], ['gold', undefined], new Array(2), () => 'gold']
    .map((acr): [object, string] => [{ acr }, LEVEL]),
  [{ maxAge: 0 }, `${AGE}0: no token comes within the second of its login; a few minutes demand a fresh one`],
  [{ maxAge: -1 }, `${AGE}-1`], [{ maxAge: 0.5 }, `${AGE}0.5`], [{ maxAge: NaN }, `${AGE}NaN`], [{ maxAge: Infinity }, `${AGE}Infinity`], [{ maxAge: 1e21 }, `${AGE}1e+21`],
  [{ maxAge: '300' }, `${AGE}a string`], [{ maxAge: null }, `${AGE}null`], [{ maxAge: undefined }, `${AGE}undefined`], [{ maxAge: [300] }, `${AGE}an array`], [{ maxAge: 300n }, `${AGE}a bigint`],
  ...['acrs', 'ACR', 'Acr', 'acr_values', 'acrValues', 'acr-value', 'loa', 'LoA', 'min_acr'].map((key): [object, string] => [{ [key]: 'gold' }, `config.${key} is not known; write acr`]),
  ...['max_age', 'maxage', 'MaxAge', 'max-age', 'maxAuthAge', 'default_max_age'].map((key): [object, string] => [{ permission: 'x', [key]: 300 }, `config.${key} is not known; write maxAge`]),
  ...[{ acr: 'gold' }, { maxAge: 300 }].flatMap((config): Array<[object, string]> => [
    [{ ...config, public: true }, 'config.public goes with none of authenticated, permission, scope, issuer, senderConstrained, acr and maxAge; keep the one you mean'],
    [{ ...config, keycloak: false }, 'config.keycloak: false goes with none of public, authenticated, permission, scope, issuer, senderConstrained, acr and maxAge, which it switches off']
  ])
]

t.test('a value that means nothing, a misspelled key and a contradiction throw when the route is added', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  for (const [config, sentence] of WRONG) {
    t.throws(() => app.get('/wrong', { config }, ok), { name: 'TypeError', message: `fastify-keycloak-bearer: GET /wrong: ${sentence}` }, sentence)
  }
  for (const rule of [{ acr: 'gold' }, { maxAge: 300 }]) {
    const [key] = Object.keys(rule)
    t.throws(() => app.get('/wrong', { ...rule } as object, ok), { message: `fastify-keycloak-bearer: GET /wrong: ${key} stands beside config, where nothing looks at it; write config: { ${key}: … }` })
  }
})

t.test('routes() shows the rule in words, and the route is restricted in whatever way it has it', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  class Config { get acr (): string { return 'gold' } }
  app.post('/both', { config: { permission: 'pay', acr: ['gold', 'platinum', 'gold'], maxAge: 300 } }, ok)
  app.post('/class', { config: new Config() as object }, ok)
  app.post('/hidden', { config: Object.defineProperty({}, 'maxAge', { value: 60 }) }, ok)
  app.post('/valid', { config: { authenticated: true, maxAge: 60 } }, ok)
  t.same(app.keycloak.routes().slice(-4), [
    { method: 'POST', url: '/both', access: 'restricted', rule: 'permission pay and acr gold or platinum and maxAge 300 s' },
    { method: 'POST', url: '/class', access: 'restricted', rule: 'acr gold' },
    { method: 'POST', url: '/hidden', access: 'restricted', rule: 'maxAge 60 s' },
    { method: 'POST', url: '/valid', access: 'restricted', rule: 'maxAge 60 s' }
  ])
  for (const url of ['/both', '/class', '/hidden', '/valid']) t.equal((await app.inject({ method: 'POST', url })).statusCode, 401, url)
})

t.test('a preflight needs the login too, and a hook of the application may change the demand', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  app.addHook('onRoute', (route) => { if (route.url === '/changed') route.config = { ...route.config, acr: 'gold' } })
  app.options('/preflight', { config: { acr: 'gold' } }, ok)
  app.get('/changed', { config: { acr: 'silver' } }, ok)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/preflight', headers: { origin: 'https://app.example.com', 'access-control-request-method': 'GET' } })).statusCode, 401)
  t.equal(await ask(app, '/changed', realm.token({ claims: { acr: 'silver' } })), '401 insufficient_user_authentication')
  t.equal(await ask(app, '/changed', realm.token({ claims: { acr: 'gold' } })), '200')
})

t.test('routes outside of the plugin are named at start, and a lost rule stops it', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify({ exposeHeadRoutes: false, ...log })
  t.teardown(() => app.close())
  await app.register(async (scope) => { await scope.register(keycloak, realm.options) })
  app.get('/acr', { config: { acr: 'gold' } }, ok)
  app.get('/age', { config: { maxAge: 300 } }, ok)
  await app.ready()
  t.match(log.lines.find(({ code }) => code === 'routes_outside')?.msg, /\(GET \/acr; GET \/age\): ANYBODY can call them/)
  const early = Fastify()
  early.register(keycloak, realm.options)
  early.get('/early', { config: Object.create({ maxAge: 300 }) }, ok)
  await t.rejects(Promise.resolve(early.ready()), { message: /GET \/early: config\.maxAge is lost/ })
})

t.test('what another package hung on Object.prototype is neither a demand nor a login', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ claims: { acr: undefined, auth_time: undefined } })
  for (const [name, value] of [['acr', 'gold'], ['maxAge', 300], ['auth_time', Math.floor(Date.now() / 1000)]] as const) {
    const app = await apiFor(t, realm)
    const answers = async () => [await ask(app, '/me', token), await ask(app, '/gold', token), await ask(app, '/fresh', token), (await realm.inject(app, { url: '/has', as: token })).json()]
    const expected = ['200', '401 insufficient_user_authentication', '401 insufficient_user_authentication', [false, false]]
    await polluted(name, value, async () => {
      app.get('/unruled', { config: {} }, ok)
      app.get('/gold', { config: { acr: 'gold' } }, ok)
      app.get('/fresh', { config: { maxAge: 300 } }, ok)
      app.get('/has', async (request) => [request.hasAuthentication({ acr: 'gold' }), request.hasAuthentication({ maxAge: 300 })])
      t.equal(await ask(app, '/unruled'), '200', name)
      t.match(app.keycloak.routes().filter(({ rule }) => rule !== undefined && !rule.includes('permission')).map(({ method, rule }) => `${method} ${rule}`), ['GET acr gold', 'HEAD acr gold', 'GET maxAge 300 s', 'HEAD maxAge 300 s'])
    })
    t.same(await answers(), expected, name)
    t.same(await polluted(name, value, answers), expected, `${name}, while it is there`)
  }
})
