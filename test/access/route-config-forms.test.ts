// A rule counts in whatever way it is in a route's config: as a getter of a class, hidden from enumeration, by a proxy.
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { ask, realmFor } from '../support/app.js'

type Members = Record<string, unknown>

class Getter {
  readonly #members: Members
  constructor (members: Members) { this.#members = members }
  get permission (): unknown { return this.#members.permission }
}

/** Every way in which an object can have members that `{ ...object }` may not see. */
const FORMS: Record<string, (members: Members) => object> = {
  'a plain object': (members) => members,
  'a frozen object': (members) => Object.freeze({ ...members }),
  'an object without a prototype': (members) => Object.assign(Object.create(null), members),
  'an object that inherits': (members) => Object.create(members),
  'an object that inherits from one without a prototype': (members) => Object.create(Object.assign(Object.create(null), members)),
  'an object that inherits by two steps': (members) => Object.create(Object.create(members)),
  'an instance of a class': (members) => Object.assign(new (class Config {})(), members),
  'an instance of a class with getters': (members) => instance(members),
  'an instance of a subclass of one with getters': (members) => Object.create(instance(members)),
  'an object with getters': (members) => Object.defineProperties({}, getters(members, true)),
  'an object with getters that are not enumerable': (members) => Object.defineProperties({}, getters(members, false)),
  'an object with members that are not enumerable': (members) => Object.defineProperties({}, hidden(members)),
  'a proxy of an object': (members) => new Proxy(members, {}),
  'a proxy that only answers': (members) => new Proxy({}, { get: (_target, key) => members[String(key)] }),
  'a proxy that names nothing': (members) => new Proxy(members, { ownKeys: () => [] }),
  'a proxy that says that it has them, of a class with getters': (members) => new Proxy(instance(members), {}),
  'a function with members': (members) => Object.assign(() => {}, members),
  'an array with members': (members) => Object.assign([], members)
}

function getters (members: Members, enumerable: boolean): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [key, { get: () => value, enumerable }]))
}

function hidden (members: Members): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [key, { value, enumerable: false }]))
}

function instance (members: Members): object {
  class Config {}
  Object.defineProperties(Config.prototype, getters(members, false))
  return new Config()
}

/** Of a form in a URL. */
function nameOf (form: string): number {
  return Object.keys(FORMS).indexOf(form)
}

async function api (t: Test, options: Partial<KeycloakOptions> = {}) {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...options })
  const get = (url: string, config: object) => app.get(url, { config }, async () => 'ok')
  return { realm, app, get }
}

/** What an anonymous caller gets, one with a token, and one with role and scope. */
async function answers ({ app, realm }: Awaited<ReturnType<typeof api>>, url: string): Promise<string[]> {
  return [await ask(app, url), await ask(app, url, realm.token()), await ask(app, url, realm.token({ roles: ['admin'], scope: 'write' }))]
}

t.test('a rule closes the route in every form of config', async (t) => {
  const { app, realm, get } = await api(t)
  const rules: Array<[Members, string[]]> = [
    [{ permission: 'admin' }, ['401 not_authenticated', '403 permission_denied', '200']],
    [{ scope: 'write' }, ['401 not_authenticated', '403 permission_denied', '200']],
    [{ authenticated: true }, ['401 not_authenticated', '200', '200']]
  ]
  const routes = Object.entries(FORMS).flatMap(([form, make]) => rules.map(([rule, expected], at) => ({ form, make, rule, expected, url: `/${nameOf(form)}/${at}` })))
  for (const { url, make, rule } of routes) get(url, make(rule))
  for (const { url, form, rule, expected } of routes) t.same(await answers({ app, realm, get }, url), expected, `${form}: ${Object.keys(rule)}`)
  t.notOk(app.keycloak.routes().some(({ access }) => access === 'optional'), 'routes() says so too')
})

t.test('what opens a route opens it in every form as well, so that routes() tells what is true', async (t) => {
  const { app, realm, get } = await api(t, { requireAuthentication: true })
  for (const [form, make] of Object.entries(FORMS)) {
    get(`/public/${nameOf(form)}`, make({ public: true }))
    get(`/off/${nameOf(form)}`, make({ keycloak: false }))
  }
  for (const form of Object.keys(FORMS)) {
    t.equal(await ask(app, `/public/${nameOf(form)}`), '200', form)
    t.equal(await ask(app, `/public/${nameOf(form)}`, 'x'), '401 token_not_valid', form)
    t.equal(await ask(app, `/off/${nameOf(form)}`, 'x'), '200', form)
  }
  t.equal(realm.requests.certs, 0)
})

t.test('a rule that means nothing throws in every form', async (t) => {
  const { get } = await api(t)
  for (const [form, make] of Object.entries(FORMS)) {
    for (const rule of [{ permission: '' }, { scope: 'two words' }, { authenticated: 'yes' }, { public: 'yes' }, { keycloak: true }]) {
      t.throws(() => get('/wrong', make(rule)), { message: new RegExp(`GET /wrong: config\\.${Object.keys(rule)} must`) }, `${form}: ${Object.keys(rule)}`)
    }
  }
  // What such a proxy has is nobody's to know before it is asked by that name.
  const { 'a proxy that only answers': _answers, 'a proxy that names nothing': _names, ...naming } = FORMS
  for (const [form, make] of Object.entries(naming)) {
    t.throws(() => get('/wrong', make({ permision: 'admin' })), { message: /config\.permision is not known; write permission/ }, form)
  }
})

t.test('a member is read once, so that what was checked is what counts', async (t) => {
  const { app, realm, get } = await api(t)
  const turns = (first: unknown, later: unknown) => {
    let reads = 0
    return { get: () => reads++ === 0 ? first : later }
  }
  app.head('/own', async () => 'ok')
  app.head('/class', async () => 'ok')
  get('/own', Object.defineProperty({}, 'permission', { enumerable: true, ...turns('admin', 'view-profile') }))
  get('/class', Object.create(Object.defineProperty({}, 'permission', turns('admin', undefined))))
  for (const url of ['/own', '/class']) {
    t.equal(await ask(app, url), '401 not_authenticated')
    t.equal(await ask(app, url, realm.token({ roles: ['view-profile'] })), '403 permission_denied')
    t.equal(await ask(app, url, realm.token({ roles: ['admin'] })), '200')
  }
})

t.test('a config that throws when it is read is refused when the route is added', async (t) => {
  const { get } = await api(t)
  const failing = () => { throw new Error('boom') }
  const message = /^fastify-keycloak-bearer: GET \/wrong: config cannot be read$/
  const traps: Array<keyof ProxyHandler<object>> = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf']
  for (const trap of traps) t.throws(() => get('/wrong', new Proxy({ a: 1 }, { [trap]: failing })), { message, cause: { message: 'boom' } }, trap)
  t.throws(() => get('/wrong', new Getter(null as never)), { message })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.throws(() => get('/wrong', proxy), { message })
})

t.test('a config that an onRoute hook gives later counts in every form', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  const forms = Object.entries(FORMS)
  app.addHook('onRoute', (route) => { route.config = Object.values(FORMS)[Number(route.url.slice(1))]!({ permission: 'admin' }) as RouteOptions['config'] })
  for (const [form] of forms) app.get(`/${nameOf(form)}`, async () => 'ok')
  for (const [form] of forms) t.same(await answers({ app, realm, get: () => app }, `/${nameOf(form)}`), ['401 not_authenticated', '403 permission_denied', '200'], form)
  t.equal(app.keycloak.routes().length, forms.length, 'each route once')
})

t.test('a member that an onRoute hook defines on the config counts, enumerable or not', async (t) => {
  const { app, realm, get } = await api(t)
  app.addHook('onRoute', ({ config }) => { Object.defineProperty(config, 'permission', { value: 'admin' }) })
  get('/', {})
  t.same(await answers({ app, realm, get }, '/'), ['401 not_authenticated', '403 permission_denied', '200'])
})

t.test('a config replaced behind our back stops the start, since rules may have got lost', async (t) => {
  const replacements: Array<(route: RouteOptions) => void> = [
    (route) => { Object.defineProperty(route, 'config', { value: instance({ permission: 'admin' }) }) },
    (route) => { Object.defineProperty(route, 'config', { value: { permission: 'admin' } }) },
    (route) => { delete route.config }
  ]
  for (const replace of replacements) {
    const { app, get } = await api(t)
    app.addHook('onRoute', replace)
    get('/admin', { permission: 'admin' })
    await t.rejects(Promise.resolve(app.ready()), { message: /GET \/admin: config was replaced by other means than an assignment/ })
  }
})

t.test('a config that is none is none', async (t) => {
  const { app, get } = await api(t)
  const configs: unknown[] = [null, undefined, 5, 'permission', true, Symbol('permission')]
  for (const [at, config] of configs.entries()) get(`/${at}`, config as object)
  for (const at of configs.keys()) t.equal(await ask(app, `/${at}`), '200', typeof configs[at])
})

t.test('the OpenAPI document tells the rule in every form', async (t) => {
  const realm = await realmFor(t)
  const app: FastifyInstance = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {}, transform: keycloak.openapi() })
  await app.register(async (api) => {
    await api.register(keycloak, realm.options)
    for (const [at, make] of Object.values(FORMS).entries()) api.get(`/in/${at}`, { config: make({ permission: 'admin' }) }, async () => 'ok')
  })
  await app.ready()
  const { paths } = app.swagger() as { paths: Record<string, { get: { security?: unknown } }> }
  for (const [at, form] of Object.keys(FORMS).entries()) t.same(paths[`/in/${at}`]!.get.security, [{ KeycloakAuth: [] }], form)
})
