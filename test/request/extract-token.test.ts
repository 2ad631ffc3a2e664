// A token in a cookie is there once the plugin that reads cookies has run: the order is said where it is wrong.
import cookie from '@fastify/cookie'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { bearerToken } from '../../index.js'
import type { ExtractToken } from '../../types/options.js'
import { bearer, logging, realmFor, WARN } from '../support/app.js'

/** As README has it. */
const fromCookie: ExtractToken = (request) => bearerToken(request) ?? request.cookies.token

/** An API whose other plugins are registered before ours, or after. */
async function api (t: Test, extractToken: ExtractToken, { before, after }: { before?: (app: FastifyInstance) => Promise<unknown>, after?: (app: FastifyInstance) => Promise<unknown> } = {}) {
  const realm = await realmFor(t)
  const log = logging()
  const app: FastifyInstance = Fastify(log)
  t.teardown(() => app.close())
  await before?.(app)
  await app.register(keycloak, { ...realm.options, extractToken })
  await after?.(app)
  app.get('/', async ({ user }) => user)
  app.get('/any', { config: { authenticated: true } }, async ({ user }) => user)
  await app.ready()
  return { app, realm, log, warnings: () => log.lines.filter(({ level }) => level === WARN).map(({ code, msg }) => `${code}: ${msg}`) }
}

const withCookies = async (app: FastifyInstance) => app.register(cookie)

t.test('@fastify/cookie registered before: the token of the cookie counts, and nothing is said', async (t) => {
  const { app, realm, warnings } = await api(t, fromCookie, { before: withCookies })
  t.match((await app.inject({ url: '/any', cookies: { token: realm.token() } })).json(), { username: 'alice' })
  t.match((await app.inject({ url: '/any', headers: bearer(realm.token()) })).json(), { username: 'alice' })
  t.equal((await app.inject('/any')).statusCode, 401)
  t.equal((await app.inject({ url: '/', cookies: { token: 'x' } })).statusCode, 401)
  t.same(warnings(), [])
})

const ORDER = /^extractToken threw a TypeError, and request\.cookies is not set when it runs: register @fastify\/cookie before fastify-keycloak-bearer, with await/

t.test('registered after, or nowhere, the error says what to do instead of what it could not read', async (t) => {
  const setups = { after: { after: withCookies }, nowhere: {}, 'in a later hook': { before: async (app: FastifyInstance) => app.register(cookie, { hook: 'preHandler' }) } }
  for (const [name, setup] of Object.entries(setups)) {
    const { app, log } = await api(t, fromCookie, setup)
    const response = await app.inject('/')
    t.equal(response.statusCode, 500, name)
    t.match(response.json().message, ORDER, name)
    t.match(log.text, /Cannot read properties of (null|undefined) \(reading 'token'\)/, 'the cause is in the log')
  }
})

t.test('the start says it too, since an optional chain does not throw and everybody would be anonymous', async (t) => {
  const careful: ExtractToken = (request) => request.cookies?.token
  const { app, realm, warnings } = await api(t, careful, { after: withCookies })
  t.equal((await app.inject({ url: '/any', cookies: { token: realm.token() } })).statusCode, 401, 'this is what it warns of')
  t.match(warnings(), [/^token_source_late: request\.cookies is not set when extractToken runs: register @fastify\/cookie before/])
  t.equal(warnings().length, 1)
})

t.test('a session is such a source as well', async (t) => {
  const session = async (app: FastifyInstance) => {
    app.decorateRequest('session', null)
    app.addHook('onRequest', async (request) => { Object.assign(request, { session: { token: 'x' } }) })
  }
  const fromSession: ExtractToken = (request) => (request as FastifyRequest & { session: { token: string } }).session.token
  const { app, warnings } = await api(t, fromSession, { after: session })
  t.match((await app.inject('/')).json().message, /request\.session is not set when it runs: register @fastify\/session before/)
  t.match(warnings(), [/^token_source_late: request\.session is not set/])
  const before = await api(t, fromSession, { before: session })
  t.equal((await before.app.inject('/')).statusCode, 401)
})

t.test('what has nothing to do with it stays the application\'s error', async (t) => {
  const protocol: ExtractToken = ({ headers }) => headers['sec-websocket-protocol']!.split(',')[1]
  const plain = await api(t, protocol)
  t.match((await plain.app.inject('/')).json(), { statusCode: 500, message: /Cannot read properties of undefined \(reading 'split'\)/ })
  const failing = await api(t, (request) => { throw new RangeError(`no cookies in ${request.url}`) }, { after: withCookies })
  t.match((await failing.app.inject('/')).json(), { statusCode: 500, message: 'no cookies in /' })
  const read = await api(t, (request) => { return request.cookies.token!.trim() }, { before: withCookies })
  t.match((await read.app.inject('/')).json(), { statusCode: 500, message: /reading 'trim'/ }, 'the cookies are there')
  t.equal((await plain.app.inject({ url: '/', headers: { 'sec-websocket-protocol': 'a,' } })).statusCode, 200)
})

t.test('without extractToken, cookies may come in any order', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  await app.register(cookie)
  await app.ready()
  t.same(log.lines.filter(({ level }) => level === WARN), [])
})
