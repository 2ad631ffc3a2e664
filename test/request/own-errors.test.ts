// A KeycloakError of the application is answered as those of the plugin are.
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { insufficientUserAuthentication, KeycloakError, type KeycloakErrorCode } from '../../index.js'
import { apiFor, bearer, logging, realmFor } from '../support/app.js'
import { decisions } from '../support/events.js'

const HEADERS: Record<KeycloakErrorCode, [status: number, headers: Record<string, string>]> = {
  bad_authorization_header: [401, { 'www-authenticate': 'Bearer realm="test", error="invalid_request", error_description="The Authorization header must be one: \'Bearer\', a space and one token."' }],
  token_not_valid: [401, { 'www-authenticate': 'Bearer realm="test", error="invalid_token", error_description="The access token is not valid."' }],
  token_expired: [401, { 'www-authenticate': 'Bearer realm="test", error="invalid_token", error_description="The access token has expired."' }],
  dpop_proof_not_valid: [401, { 'www-authenticate': 'DPoP realm="test", error="invalid_dpop_proof", error_description="The DPoP proof is not valid."' }],
  dpop_nonce_required: [401, { 'www-authenticate': 'DPoP realm="test", error="use_dpop_nonce", error_description="The DPoP proof needs the nonce of the header DPoP-Nonce."' }],
  insufficient_user_authentication: [401, { 'www-authenticate': 'Bearer realm="test", error="insufficient_user_authentication", error_description="A stronger or more recent login is required."' }],
  user_inactive: [401, { 'www-authenticate': 'Bearer realm="test", error="invalid_token", error_description="The user is inactive or unknown."' }],
  not_authenticated: [401, { 'www-authenticate': 'Bearer realm="test"' }],
  permission_denied: [403, { 'www-authenticate': 'Bearer realm="test", error="insufficient_scope", error_description="You do not have permission to perform this action.", scope="write"' }],
  exchange_refused: [502, {}],
  keycloak_unavailable: [503, { 'retry-after': '1' }]
}

/** Routes that throw each of the errors, in every place that can. */
function addRoutes (app: FastifyInstance, Thrown: typeof KeycloakError): void {
  const made = (code: string) => new Thrown(code as KeycloakErrorCode, 'why', code === 'permission_denied' ? 'write' : undefined)
  type Route = { Params: { code: string } }
  app.get<Route>('/thrown/:code', async ({ params }) => { throw made(params.code) })
  app.get<Route>('/sent/:code', (request, reply) => { reply.send(made(request.params.code)) })
  app.get<Route>('/hook/:code', { preHandler: async ({ params }) => { throw made(params.code) } }, async () => 'ok')
  app.get<Route>('/off/:code', { config: { keycloak: false } }, async ({ params }) => { throw made(params.code) })
}

const PLACES = ['thrown', 'sent', 'hook', 'off']

t.test('status, body and challenge are those of the plugin, wherever it is thrown', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  addRoutes(app, KeycloakError)
  await app.register(async (child) => { addRoutes(child, KeycloakError) }, { prefix: '/child' })
  for (const [code, [status, expected]] of Object.entries(HEADERS)) {
    for (const place of [...PLACES, ...PLACES.map((each) => `child/${each}`)]) {
      const { statusCode, headers, ...response } = await app.inject(`/${place}/${code}`)
      t.match({ statusCode, headers, body: response.json() }, { statusCode: status, headers: expected, body: { statusCode: status, code } }, `${place}, ${code}`)
    }
  }
})

t.test('so they are for an error handler of the application, which may send a body alone', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.setErrorHandler((error: KeycloakError, _request, reply) => reply.send({ mine: error.code, challenge: reply.getHeader('www-authenticate') ?? null }))
  addRoutes(app, KeycloakError)
  for (const [code, [status, expected]] of Object.entries(HEADERS)) {
    const { statusCode, headers, ...response } = await app.inject(`/thrown/${code}`)
    t.match({ statusCode, headers, body: response.json() }, { statusCode: status, headers: expected, body: { mine: code, challenge: expected['www-authenticate'] ?? null } }, code)
  }
  const refused = await app.inject({ url: '/me', headers: bearer('x') })
  t.match(refused, { statusCode: 401, headers: HEADERS.token_not_valid[1] }, 'as those of the plugin')
})

t.test('an error of another copy of the package counts too, and what only looks like one does not', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const url = '../../lib/errors.js?copy'
  const { KeycloakError: Copy } = await import(url) as { KeycloakError: typeof KeycloakError }
  t.not(Copy, KeycloakError)
  addRoutes(app, Copy)
  const others = [Object.assign(new Error('x'), { name: 'KeycloakError', code: 'toString' }), Object.assign(new Error('x'), { code: 'permission_denied', statusCode: 403 }), { name: 'KeycloakError', code: 'token_expired', statusCode: 401 }]
  for (const [at, error] of others.entries()) app.get(`/other/${at}`, (_request, reply) => { reply.send(error) })
  t.match((await app.inject('/thrown/permission_denied')).headers, HEADERS.permission_denied[1])
  for (const at of others.keys()) t.equal((await app.inject(`/other/${at}`)).headers['www-authenticate'], undefined)
})

t.test('outside of the plugin\'s scope it has its status, and no challenge of a realm', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  addRoutes(app, KeycloakError)
  t.match(await app.inject('/thrown/permission_denied'), { statusCode: 403, headers: { 'www-authenticate': undefined } })
})

t.test('an error names the scopes that it asks for', async (t) => {
  t.equal(new KeycloakError('permission_denied', 'why', 'read write').scope, 'read write')
  t.equal(new KeycloakError('permission_denied', 'why', { scope: 'read', acr_values: 'gold' }).scope, 'read')
  t.equal(new KeycloakError('permission_denied', 'why').scope, undefined)
})

t.test('further parameters stand on the challenge, without what would end their quotes or the header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/own', async () => {
    throw new KeycloakError('permission_denied', 'why', { scope: 'a b', acr_values: 'gold" x\\y\r\nz: ü' })
  })
  const { statusCode, headers } = await app.inject({ url: '/own', headers: bearer(realm.token()) })
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], /^Bearer realm="test", error="insufficient_scope", error_description="[^"]+", scope="a b", acr_values="gold' xyz: "$/)
})

t.test('a parameter that is no text is left out, and the challenge stays', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const values = { scope: undefined, a: null, b: ['x'], c: {}, d: Symbol('x'), max_age: 300, acr_values: 'gold' }
  app.get('/own', async () => { throw new KeycloakError('permission_denied', 'why', values as never) })
  const { statusCode, headers } = await app.inject({ url: '/own', headers: bearer(realm.token()) })
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], /^Bearer realm="test", error="insufficient_scope", error_description="[^"]+", max_age="300", acr_values="gold"$/)
})

t.test('a message of the application stays in its own answer: the challenge has the words of the code', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  class Translated extends KeycloakError {
    constructor (code: KeycloakErrorCode, message: string, challenge?: string) {
      super(code, 'why', challenge)
      this.message = message
    }
  }
  app.get('/own/:challenge?', async ({ params }) => { throw new Translated('permission_denied', 'invoice 5 is of bob', (params as { challenge?: string }).challenge) })
  app.get('/expired', async () => { throw Object.assign(new Error('of bob'), { name: 'KeycloakError', code: 'token_expired', statusCode: 401 }) })
  const describedBy = async (url: string, token = realm.token()) => {
    const { body, headers } = await app.inject({ url, headers: bearer(token) })
    return [body.includes('bob'), /error_description="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1]]
  }
  t.same(await describedBy('/own'), [true, 'You do not have permission to perform this action.'])
  t.same(await describedBy('/own/write'), [true, 'You do not have permission to perform this action.'])
  t.same(await describedBy('/profile'), [false, 'You do not have permission to perform this action.'], 'nor is it told to anybody else')
  t.same(await describedBy('/expired'), [true, 'The access token has expired.'])
  t.same(await describedBy('/me', realm.token({ expired: true })), [false, 'The access token has expired.'])
})

t.test('a refusal that the application throws is in the debug log, in health() and in the events, once', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, { logger: log.logger })
  const { authorization } = decisions(t)
  const shared = new KeycloakError('permission_denied', 'the invoice is of somebody else')
  const nameless = Object.assign(new Error('x'), { name: 'KeycloakError', code: 'permission_denied', statusCode: 403 })
  app.get('/login', { config: { authenticated: true } }, async () => { throw insufficientUserAuthentication({ acr: 'gold' }) })
  app.get('/shared', { config: { permission: 'read-profile' } }, async () => { throw shared })
  app.get('/hook', { preHandler: async () => { throw shared } }, async () => 'ok')
  app.get('/nameless', async () => { throw nameless })
  app.get('/verify', async () => app.keycloak.verify('x'))
  const headers = bearer(realm.token({ claims: { sub: 'a1', azp: 'web' } }))
  const told = async (url: string, sent = headers): Promise<unknown[]> => {
    const [before, published, logged] = [{ ...app.keycloak.health().refusals } as Record<string, number>, authorization.length, log.lines.length]
    await app.inject({ url, headers: sent })
    const counted = Object.entries(app.keycloak.health().refusals).flatMap(([code, count]) => Array<string>(count - (before[code] ?? 0)).fill(code))
    const lines = log.lines.slice(logged).flatMap(({ reasonCode, msg }) => /^request refused/.test(String(msg)) ? [`${String(reasonCode)} ${String(msg)}`] : [])
    return [counted, lines, authorization.slice(published).map(({ source, outcome, code, reason, sub, azp }) => [source, outcome, code, reason, sub, azp].join(' '))]
  }
  const own = [['refused_by_application'], ['refused_by_application request refused: the invoice is of somebody else']]
  t.same(await told('/login'), [['login_not_enough'], ['login_not_enough request refused: a handler of the application demands a login with acr gold'], ['thrown denied insufficient_user_authentication login_not_enough a1 web']])
  for (const round of ['first', 'second']) t.same(await told('/hook'), [...own, ['thrown denied permission_denied refused_by_application a1 web']], `the ${round} request with one error for all`)
  t.same(await told('/hook', {} as never), [...own, []], 'there is nobody to tell of in an event')
  t.same(await told('/nameless'), [['refused_by_application'], ['refused_by_application request refused: the application gave no reason'], ['thrown denied permission_denied  a1 web']])
  t.same((await told('/shared'))[0], ['roles_absent'], 'a refusal of the plugin counts once')
  t.same(await told('/verify'), [['token_malformed'], [], []], 'an error of verify() has been told of')
})
