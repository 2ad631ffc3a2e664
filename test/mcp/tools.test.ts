// config.mcp: the caller for the SDK's transports, the rules of tools, and requireScopes.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions, type RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakError, type KeycloakOptions, type KeycloakRouteConfig, type McpAuthInfo, type ToolRules } from '../../index.js'
import { requireScopes } from '../../lib/mcp/index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { bearer, logging, realmFor, refusalsIn, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { eventsOn } from '../support/events.js'
import { LOGOUT, logOut } from '../support/logout.js'

const RESOURCE = 'https://api.example.com/mcp'
const DOCUMENT = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp"'

const TOOLS = {
  'write-note': 'notes:write',
  'move-note': ['notes:write', 'notes:read'],
  'delete-note': { scope: 'notes:write', acr: 'gold' },
  'list-all': { permission: 'admin' },
  'fresh-note': { maxAge: 300 },
  whoami: { authenticated: true },
  help: { public: true },
  off: false,
  constructor: 'notes:odd'
} as const satisfies ToolRules

interface Api {
  app: FastifyInstance
  /** The bodies that reached the handler. */
  reached: unknown[]
}

async function apiOf (t: Test, realm: TestRealm, { config = {}, tools = TOOLS, options = {}, server = {} }: { config?: object, tools?: ToolRules | undefined, options?: Partial<KeycloakOptions>, server?: FastifyServerOptions } = {}): Promise<Api> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE, ...options })
  const reached: unknown[] = []
  app.all('/mcp', { config: { ...config, mcp: { tools } } as object }, async (request) => {
    reached.push(request.body)
    return { auth: (request.raw as { auth?: McpAuthInfo }).auth ?? null }
  })
  return { app, reached }
}

const now = (): number => Math.floor(Date.now() / 1000)

const call = (name: unknown, more: object = {}): object => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} }, ...more })

/** Over a socket: the status, and the code or what the body is. */
async function post (app: FastifyInstance, body: unknown, token?: string, type = 'application/json'): Promise<string> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const response = await fetch(`${app.listeningOrigin}/mcp`, {
    method: 'POST',
    headers: { 'content-type': type, ...token === undefined ? {} : bearer(token) },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
  const text = await response.text()
  if (response.status === 200) return '200'
  const { code, error } = JSON.parse(text)
  const scope = /scope="([^"]*)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1]
  return `${response.status} ${code ?? error?.code ?? error}${scope === undefined ? '' : ` ${scope}`}`
}

t.test('each tool has its rule, and the challenge names all scopes of route and tool', async (t) => {
  const realm = await realmFor(t)
  const { app, reached } = await apiOf(t, realm, { config: { scope: 'mcp' } })
  const token = (scope: string, more: object = {}): string => realm.token({ scope, ...more })
  const DENIED = '403 permission_denied'
  const rows: Array<[tool: string, token: string, answer: string]> = [
    ['write-note', token('mcp'), `${DENIED} mcp notes:write`], ['write-note', token('mcp notes:write'), '200'], ['write-note', token('notes:write'), `${DENIED} mcp`],
    ['move-note', token('mcp notes:read'), `${DENIED} mcp notes:write notes:read`], ['move-note', token('mcp notes:read notes:write'), '200'],
    ['delete-note', token('mcp notes:write', { acr: 'silver' }), '401 insufficient_user_authentication mcp notes:write'], ['delete-note', token('mcp notes:write', { acr: 'gold' }), '200'], ['delete-note', token('mcp', { acr: 'gold' }), `${DENIED} mcp notes:write`],
    ['list-all', token('mcp'), `${DENIED} mcp`], ['list-all', token('mcp', { roles: ['admin'] }), '200'],
    ['fresh-note', token('mcp', { claims: { auth_time: now() - 4000 } }), '401 insufficient_user_authentication mcp'], ['fresh-note', token('mcp', { claims: { auth_time: now() - 5 } }), '200'],
    ['whoami', token('mcp'), '200'], ['help', token('mcp'), '200'], ['off', token('mcp', { roles: ['admin'] }), `${DENIED} mcp`],
    ['constructor', token('mcp'), `${DENIED} mcp notes:odd`], ['constructor', token('mcp notes:odd'), '200'],
    ['unlisted', token('mcp'), '200'], ['toString', token('mcp'), '200'], ['__proto__', token('mcp'), '200'], ['*', token('mcp'), '200'], ['', token('mcp'), '200']
  ]
  for (const [tool, sent, answer] of rows) {
    const before = reached.length
    t.equal(await post(app, call(tool), sent), answer, tool)
    t.equal(reached.length - before, answer === '200' ? 1 : 0, 'what is refused does not reach the handler')
  }
  for (const method of ['initialize', 'tools/list', 'resources/read', 'ping', 'tools/called']) t.equal(await post(app, { jsonrpc: '2.0', id: 1, method, params: { name: 'write-note' } }, token('mcp')), '200', method)
  t.equal(await post(app, call('write-note')), '401 not_authenticated mcp')
})

t.test('names that a server could take for a tool have its rule', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm, { tools: { 'write-note': 'notes:write', Read: 'a', read: 'b' } })
  const token = realm.token({ scope: 'openid a' })
  const looks = ['Write-Note', 'WRITE-NOTE', ' write-note', 'write-note\n', 'ｗrite-note', 'write -note', 'write\u00a0-note', 'wr\u0131te-note', 'WR\u0130TE-NOTE', 'write\u200b-note', 'write-note\u0000', 'wr\u00adite-note', '\ufeffwrite-note', 'write\ufe0f-note', 'write\u034f-note', 'write\u202e-note']
  for (const name of looks) t.equal(await post(app, call(name), token), '403 permission_denied notes:write', JSON.stringify(name))
  t.equal(await post(app, call('Read'), token), '200', 'an exact name has its own rule alone')
  t.equal(await post(app, call('read'), token), '403 permission_denied b')
  t.equal(await post(app, call('READ'), token), '403 permission_denied a b', 'a doubtful name has all of them')
  t.equal(await post(app, call('write_note'), token), '200')
  const { app: german } = await apiOf(t, realm, { tools: { straße: 'scope:s', Σίσυφος: 'scope:g' } })
  for (const name of ['STRASSE', 'strasse', 'STRA\u1e9eE']) t.equal(await post(german, call(name), token), '403 permission_denied scope:s', name)
  for (const name of ['ΣΊΣΥΦΟΣ', 'σίσυφοσ']) t.equal(await post(german, call(name), token), '403 permission_denied scope:g', name)
  for (const method of ['tools/\u200bcall', 'tools /call', 'TOOLS/CALL\u0000']) t.equal(await post(app, call('write-note', { method }), token), '400 -32600', JSON.stringify(method))
})

t.test('the rule * is for all tools that have none', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm, { tools: { 'write-note': 'notes:write', whoami: { authenticated: true }, '*': false } })
  const token = realm.token({ scope: 'notes:write' })
  for (const name of ['unlisted', 'toString', '__proto__', '', '*']) t.equal(await post(app, call(name), token), '403 permission_denied', name)
  for (const name of ['write-note', 'whoami']) t.equal(await post(app, call(name), token), '200', name)
  t.equal(await post(app, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, token), '200')
  const { app: scoped } = await apiOf(t, realm, { tools: { '*': 'notes:any' } })
  t.equal(await post(scoped, call('unlisted'), token), '403 permission_denied notes:any')
})

t.test('of a batch every call must pass, and one challenge names the scopes of all', async (t) => {
  const realm = await realmFor(t)
  const { app, reached } = await apiOf(t, realm, { tools: { a: 'scope:a', b: 'scope:b', c: { authenticated: true } } })
  const token = realm.token({ scope: 'scope:a' })
  t.equal(await post(app, [call('a'), call('c'), { jsonrpc: '2.0', method: 'notifications/initialized' }], token), '200')
  reached.length = 0
  const batches: Array<[batch: object[], scope: string]> = [
    [[call('a'), call('b')], 'scope:a scope:b'], [[call('b'), call('a')], 'scope:b scope:a'],
    [[call('c'), call('b', { id: undefined }), call('a')], 'scope:b scope:a'], [[{ jsonrpc: '2.0', id: 9, result: {} }, call('b')], 'scope:b']
  ]
  for (const [batch, scope] of batches) t.equal(await post(app, batch, token), `403 permission_denied ${scope}`)
  t.same(reached, [])
  t.equal(await post(app, Array.from({ length: 2000 }, () => call('a')), token), '200', 'a large batch costs one check a tool')
})

t.test('a body by which a tool could be called unnoticed is a 400', async (t) => {
  const realm = await realmFor(t)
  const { app, reached } = await apiOf(t, realm, { server: { onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' } })
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const token = realm.token({ scope: 'openid' })
  const bodies: unknown[] = [
    [], {}, { jsonrpc: '2.0', id: 1, params: { name: 'write-note' } }, [[call('write-note')]], 'null', '5', '"tools/call"', 'true', [null], [5], ['tools/call'],
    call(['write-note']), call({ toString: 'write-note' }), call(null), call(5), { jsonrpc: '2.0', id: 1, method: 'tools/call' }, call('write-note', { params: null }), call('write-note', { params: ['write-note'] }), call('write-note', { params: { Name: 'write-note' } }),
    call('write-note', { method: ['tools/call'] }), call('write-note', { method: { a: 1 } }), call('write-note', { method: null }), call('write-note', { method: 'Tools/Call' }), call('write-note', { method: ' tools/call' }), call('write-note', { method: 'tools/call\n' }), call('write-note', { method: 'ｔools/call' }),
    call(`write-note${'\u200b'.repeat(250)}`), call('whoami'.padEnd(257, 'i')), call('write-note', { method: `tools/call${'\u200b'.repeat(250)}` }), call('write-note', { method: 'a'.repeat(257) }),
    // Normalizing these would take more than a minute.
    call(`a${'\u0300\u0327'.repeat(200_000)}`), call('whoami', { method: `a${'\u0300\u0327'.repeat(200_000)}` }),
    '{"jsonrpc":"2.0","id":1,"__proto__":{"method":"tools/call","params":{"name":"write-note"}}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"write-note"},"name":"whoami"}}'
  ]
  for (const body of bodies) t.equal(await post(app, body, token), '400 -32600', JSON.stringify(body).slice(0, 500))
  t.equal(await post(app, call('i'.repeat(256)), token), '200', 'a name of 256 characters')
  reached.length = 0
  t.equal(await post(app, JSON.stringify(call('write-note')), token, 'text/plain'), '400 -32600', 'text')
  t.equal(await post(app, JSON.stringify(call('write-note')), token, 'application/octet-stream'), '400 -32600', 'bytes')
  t.equal((await app.inject({ method: 'POST', url: '/mcp', headers: bearer(token) })).statusCode, 400, 'no body')
  t.same(reached, [])
  // Of duplicate members the last one counts, here and for the server, which gets the same object.
  t.equal(await post(app, '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"whoami","name":"write-note"}}', token), '403 permission_denied notes:write')
  t.equal(await post(app, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write-note","name":"whoami"}}', token), '200')
  t.match(reached, [{ params: { name: 'whoami' } }])
})

t.test('a public route lets everybody list tools, and each tool decides for itself', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm, { config: { public: true } })
  t.equal(await post(app, { jsonrpc: '2.0', id: 1, method: 'tools/list' }), '200')
  t.equal(await post(app, call('help')), '200')
  t.equal(await post(app, call('unlisted')), '200')
  t.equal(await post(app, call('whoami')), '401 not_authenticated')
  t.equal(await post(app, call('write-note')), '401 not_authenticated notes:write')
  t.equal(await post(app, [call('help'), call('write-note')]), '401 not_authenticated notes:write')
  t.equal(await post(app, call('write-note'), 'nonsense'), '401 token_not_valid')
  t.equal(await post(app, call('whoami'), realm.token()), '200')
})

t.test('requests without a message need the rule of the route alone', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm)
  for (const method of ['GET', 'DELETE'] as const) {
    t.equal((await app.inject({ method, url: '/mcp', headers: bearer(realm.token()) })).statusCode, 200, method)
    t.equal((await app.inject({ method, url: '/mcp' })).statusCode, 401, method)
  }
  t.equal((await app.inject({ method: 'DELETE', url: '/mcp', headers: bearer(realm.token({ scope: 'x' })), payload: call('write-note') })).statusCode, 403, 'a body counts where it comes')
})

t.test('a hook of the application cannot put another call behind the check', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  const seen: string[] = []
  const rewrite = async (request: FastifyRequest): Promise<void> => {
    seen.push((request.body as { params: { name: string } }).params.name)
    request.body = call((request.headers['x-tool'] as string | undefined) ?? 'whoami')
  }
  const config = { mcp: { tools: { 'write-note': 'notes:write', whoami: { authenticated: true } } } } as const
  app.post('/one', { config, preHandler: rewrite }, async () => 'done')
  app.post('/two', { config, preHandler: [rewrite, rewrite] }, async () => 'done')
  // A schema may turn an array of one into its member.
  app.post('/coerced', { config, schema: { body: { type: 'object', properties: { method: { type: 'string' }, params: { type: 'object', properties: { name: { type: 'string' } } } } } } }, async () => 'done')
  const answer = async (url: string, payload: object, tool?: string): Promise<number> => (await app.inject({ method: 'POST', url, payload, headers: { ...bearer(realm.token()), ...tool === undefined ? {} : { 'x-tool': tool } } })).statusCode
  for (const url of ['/one', '/two']) {
    t.equal(await answer(url, call('whoami')), 200)
    t.equal(await answer(url, call('whoami'), 'write-note'), 403)
    t.equal(await answer(url, call('write-note')), 403)
  }
  t.notOk(seen.includes('write-note') && seen[0] === 'write-note', 'the check runs before the hooks of the route')
  t.equal(await answer('/coerced', { jsonrpc: '2.0', id: 1, method: ['tools/call'], params: { name: ['write-note'] } }), 403)
})

t.test('raw.auth is the caller as the SDK reads it, and nothing for anonymous callers', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  app.addHook('onRequest', async (request) => { (request.raw as { auth?: unknown }).auth = 'of another plugin' })
  const auth = async (request: FastifyRequest): Promise<unknown> => {
    const info = (request.raw as { auth?: McpAuthInfo }).auth
    return info === undefined ? 'none' : { ...info, isUrl: info.resource instanceof URL, isSame: info.extra.claims === request.auth && info.extra.user === request.user }
  }
  app.get('/mcp', { config: { mcp: true } }, auth)
  app.get('/public', { config: { mcp: true, public: true } }, auth)
  app.get('/other', { config: { authenticated: true } }, async (request) => (request.raw as { auth?: unknown }).auth)
  const ask = async (url: string, token?: string): Promise<unknown> => {
    const response = await app.inject({ url, headers: token === undefined ? {} : bearer(token) })
    return response.statusCode === 200 ? String(response.headers['content-type']).includes('json') ? response.json() : response.body : response.statusCode
  }
  const token = realm.token({ username: 'bob', scope: 'openid notes:write', claims: { azp: 'desktop' } })
  for (const round of ['first', 'kept', 'kept']) {
    t.match(await ask('/mcp', token), { token, clientId: 'desktop', scopes: ['openid', 'notes:write'], resource: RESOURCE, isUrl: true, isSame: true, extra: { user: { username: 'bob' }, claims: { azp: 'desktop' } } }, round)
  }
  t.equal((await ask('/mcp', token) as McpAuthInfo).expiresAt, JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).exp)
  t.match(await ask('/public', realm.token({ scope: undefined, claims: { scope: undefined, azp: undefined, client_id: 'other' } } as never)), { clientId: 'other', scopes: [] })
  t.match(await ask('/public', realm.token({ claims: { azp: undefined } } as never)), { clientId: '' })
  t.equal(await ask('/public'), 'none')
  t.equal(await ask('/mcp'), 401, 'config.mcp demands a token')
  t.equal(await ask('/mcp', 'nonsense'), 401)
  t.equal(await ask('/other', token), 'of another plugin')
})

t.test('without the option resource the start warns, and raw.auth names none', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app } = await apiOf(t, realm, { options: { resource: undefined }, server: { logger: log.logger } })
  const { auth } = (await app.inject({ method: 'GET', url: '/mcp', headers: bearer(realm.token()) })).json()
  t.notOk(Object.hasOwn(auth, 'resource'))
  t.match(log.lines.find(({ code }) => code === 'mcp_without_resource'), { level: WARN, msg: /^routes have config\.mcp, and the option resource is not set/ })
  t.match((await app.inject({ method: 'POST', url: '/mcp', payload: call('write-note'), headers: bearer(realm.token()) })).headers['www-authenticate'], /scope="notes:write"$/)
  const silent = logging()
  const { app: other } = await apiOf(t, realm, { server: { logger: silent.logger } })
  await other.ready()
  t.notOk(silent.lines.some(({ code }) => code === 'mcp_without_resource'))
})

t.test('refusals of tools are in the log, in health and among the events', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app } = await apiOf(t, realm, { server: { logger: log.logger } })
  const events = eventsOn(t, 'fastify-keycloak-bearer:authorization')
  await post(app, call('write-note'), realm.token({ scope: 'openid' }))
  await post(app, call('whoami'), realm.token({ username: 'bob' }))
  await post(app, call('list-all'), realm.token({ roles: ['admin'] }))
  t.match(events, [
    { source: 'route', rule: 'tool write-note: scope notes:write', outcome: 'denied', code: 'permission_denied', reason: 'scope_missing', route: { method: 'POST', url: '/mcp' } },
    { source: 'route', rule: 'tool whoami: authenticated', outcome: 'allowed', code: null },
    { source: 'route', rule: 'tool list-all: permission admin', outcome: 'allowed' }
  ])
  t.match(refusalsIn(log).map(({ reason }) => reason), [/^scope notes:write is missing/])
  t.equal(app.keycloak.health().refusals.scope_missing, 1)
})

t.test('an error of a rule function is an error of the application', async (t) => {
  const realm = await realmFor(t)
  const { app, reached } = await apiOf(t, realm, { tools: { broken: { permission: async () => { throw new Error('the database is away') } } } })
  t.equal((await app.inject({ method: 'POST', url: '/mcp', payload: call('broken'), headers: bearer(realm.token()) })).statusCode, 500)
  t.same(reached, [])
})

t.test('routes() and the document of the resource name the rules of tools', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm, { config: { scope: 'mcp' } })
  t.same(app.keycloak.resourceMetadata().scopes_supported, ['mcp', 'notes:write', 'notes:read', 'notes:odd'])
  t.match(app.keycloak.routes().find(({ url }) => url === '/mcp'), {
    access: 'restricted',
    rule: 'scope mcp',
    tools: { 'write-note': 'scope notes:write', 'move-note': 'scope notes:write notes:read', 'delete-note': 'scope notes:write and acr gold', 'list-all': 'permission admin', 'fresh-note': 'maxAge 300 s', whoami: 'authenticated', help: 'public', off: 'permission nobody()' }
  })
})

t.test('requireScopes answers as config.scope does, with all scopes of the request', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify({ logger: log.logger })
  t.teardown(() => app.close())
  app.get('/early', async (request) => requireScopes(request, 'notes:early'))
  await app.register(keycloak, { ...realm.options, resource: RESOURCE, scopeImplies: { 'notes:admin': ['notes:write'] } })
  const demand = (...scopes: [string, ...string[]]) => async (request: FastifyRequest): Promise<string> => {
    requireScopes(request, ...scopes)
    return 'done'
  }
  app.get('/write', { config: { scope: 'mcp' } }, demand('notes:write'))
  app.get('/open', demand('notes:write', 'notes:read'))
  app.get('/wrong', demand('notes write'))
  app.get('/none', async (request) => requireScopes(...[request] as unknown as [FastifyRequest, string]))
  const ask = async (url: string, scope?: string): Promise<string> => {
    const { statusCode, headers, body } = await app.inject({ url, headers: scope === undefined ? {} : bearer(realm.token({ scope })) })
    return statusCode === 500 ? `500 ${JSON.parse(body).message}` : `${statusCode} ${String(headers['www-authenticate']).replace(/.*?(error="\w+").*?,(?= scope)/, '$1,')}`
  }
  for (const scope of ['mcp notes:write', 'mcp notes:admin']) t.match(await ask('/write', scope), /^200/)
  t.equal(await ask('/write', 'mcp'), `403 error="insufficient_scope", scope="mcp notes:write", ${DOCUMENT}`)
  t.equal(await ask('/open', 'notes:read'), `403 error="insufficient_scope", scope="notes:write notes:read", ${DOCUMENT}`)
  t.match(await ask('/open', 'notes:read notes:admin'), /^200/)
  t.equal(await ask('/open'), `401 Bearer realm="test", scope="notes:write notes:read", ${DOCUMENT}`)
  t.equal(await ask('/early', 'x'), `403 error="insufficient_scope", scope="notes:early", ${DOCUMENT}`)
  t.match(log.text, 'You do not have permission to perform this action.')
  const error = await app.inject({ url: '/open', headers: bearer(realm.token({ scope: 'notes:read' })) })
  t.equal(error.json().code, 'permission_denied')
  try {
    requireScopes({ auth: {}, hasPermission: () => false, routeOptions: {} } as never, 'notes:write')
    t.fail('the scope is missing')
  } catch (error) {
    t.match((error as KeycloakError).reason, /^scope notes:write is missing in the claim scope/)
  }
  t.match(await ask('/wrong', 'x'), /^500 requireScopes takes a request and words of the scope claim/)
  t.match(await ask('/none', 'x'), /^500 requireScopes takes a request/)
})

t.test('what means nothing is an error when the route is added', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  class Tools { 'write-note' = 'notes:write' }
  const error = (config: object): string => {
    try {
      app.post('/mcp', { config }, async () => 'open')
      return 'added'
    } catch (error) {
      return (error as Error).message.replace('fastify-keycloak-bearer: POST /mcp: ', '')
    }
  }
  const tool = (rule: unknown): string => error({ mcp: { tools: { a: rule } } })
  const RULE = 'a scope, an array of scopes, an object with permission, scope, issuer, acr, maxAge, authenticated or public, or false'
  const WHAT = 'true, or { tools: { "write-note": "notes:write" } }'
  for (const [value, kind] of [[false, 'false'], [undefined, 'undefined'], ['tools', 'a string'], [[], 'an empty array']] as const) t.equal(error({ mcp: value }), `config.mcp must be ${WHAT}, not ${kind}`)
  t.equal(error({ mcp: { tool: {} } }), `config.mcp.tool is not known; write config.mcp: ${WHAT}`)
  t.equal(error({ mcp: {} }), 'config.mcp.tools must be an object of names and rules, such as { "write-note": "notes:write" }, not undefined')
  t.equal(error({ mcp: { tools: ['a'] } }), 'config.mcp.tools must be an object of names and rules, such as { "write-note": "notes:write" }, not an array')
  t.match(error({ mcp: { tools: {} } }), /not an empty object$/)
  t.match(error({ mcp: { tools: { '': 'a' } } }), /not an empty name$/)
  t.match(error({ mcp: { tools: { [Symbol('a')]: 'a' } } }), /has a symbol/)
  t.match(error({ mcp: { tools: { ['a'.repeat(257)]: 'a' } } }), /has a name of more than 256 characters/)
  t.match(error({ mcp: { tools: new Tools() } }), /must be a plain object/)
  t.match(error({ mcp: { tools: { __proto__: { 'write-note': 'notes:write' } } } }), /must be a plain object/)
  for (const [rule, kind] of [[5, 'a number'], [true, 'true'], [null, 'null'], [undefined, 'undefined']] as const) t.equal(tool(rule), `config.mcp.tools["a"] must be ${RULE}, not ${kind}`)
  t.equal(tool({}), `config.mcp.tools["a"] must be ${RULE}, not an object without a rule`)
  t.equal(tool({ scopes: 'a' }), `config.mcp.tools["a"].scopes is not known; the rule must be ${RULE}`)
  t.equal(tool({ keycloak: false }), `config.mcp.tools["a"].keycloak is not known; the rule must be ${RULE}`)
  t.match(tool([]), /^config\.mcp\.tools\["a"\]: config\.scope must be a word/)
  t.match(tool('a b'), /^config\.mcp\.tools\["a"\]: config\.scope must be a word/)
  t.match(tool({ public: true, scope: 'a' }), /^config\.mcp\.tools\["a"\]: config\.public goes with none of/)
  t.equal(error({ mcp: true, keycloak: false }), 'config.mcp goes without config.keycloak: false, which switches it off')
  t.equal(error({ MCP: true }), 'config.MCP is not known; write mcp')
  t.throws(() => app.post('/beside', { mcp: true } as object, async () => 'open'), /mcp stands beside config/)
})

t.test('a route that could not get the check is refused', async (t) => {
  const realm = await realmFor(t)
  const config = { mcp: { tools: { a: 'a' } } } as const
  const LATE = /: config\.mcp must be there when fastify-keycloak-bearer sees the route/
  const early = Fastify()
  t.teardown(() => early.close())
  early.post('/early', { config }, async () => 'open')
  await t.rejects(async () => { await early.register(keycloak, { ...realm.options, resource: RESOURCE }) }, LATE)
  for (const [before, after] of [[undefined, { mcp: true }], [{ mcp: true }, config]] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, resource: RESOURCE })
    app.addHook('onRoute', (route) => { if (route.url === '/later') route.config = { ...route.config, ...after } })
    app.post('/later', { config: { ...before } }, async () => 'open')
    await t.rejects(async () => { await app.ready() }, LATE)
  }
  // The plugin sees neither the route nor its scope before the first request.
  const child = Fastify()
  t.teardown(() => child.close())
  child.register(async (scope) => { scope.post('/child', { config }, async () => 'open') })
  await child.register(async () => {})
  await t.rejects(async () => { await child.register(keycloak, { ...realm.options, resource: RESOURCE }) }, LATE)
})

t.test('a route of a prefix, with and without a slash at its end, and a copy of it, have each hook once', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  app.addHook('onRoute', (route) => { if (route.url === '/notes') app.route({ ...route, url: '/copy' }) })
  let checks = 0
  await app.register(async (scope) => {
    scope.post('/', { config: { mcp: { tools: TOOLS } }, preHandler: async () => { checks++ } }, async () => 'done')
  }, { prefix: '/notes' })
  for (const url of ['/notes', '/notes/', '/copy']) {
    checks = 0
    t.equal((await app.inject({ method: 'POST', url, payload: call('whoami'), headers: bearer(realm.token()) })).statusCode, 200)
    t.equal(checks, 1)
    t.equal((await app.inject({ method: 'POST', url, payload: call('write-note'), headers: bearer(realm.token()) })).statusCode, 403)
  }
})

t.test('two hooks of a route stay where they are, for its HEAD route too', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  const order: string[] = []
  const note = (name: string) => async (_request: FastifyRequest, _reply: FastifyReply): Promise<void> => { order.push(name) }
  app.get('/mcp', { config: { mcp: { tools: TOOLS } }, onRequest: [note('onRequest 1'), note('onRequest 2')], preHandler: [note('preHandler 1'), note('preHandler 2')] }, async () => 'done')
  for (const method of ['GET', 'HEAD'] as const) {
    order.length = 0
    t.equal((await app.inject({ method, url: '/mcp', headers: bearer(realm.token()) })).statusCode, 200)
    t.same(order, ['onRequest 1', 'onRequest 2', 'preHandler 1', 'preHandler 2'])
  }
})

t.test('a token that has ended while the body came calls nothing', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const log = logging()
  const { app, reached } = await apiOf(t, realm, { options: LOGOUT, server: { logger: log.logger } })
  let passed = (): void => {}
  app.addHook('preParsing', async () => passed())
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const begin = async (token: string, body: object): Promise<() => Promise<string>> => {
    const sent = httpRequest(`${origin}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked', ...bearer(token) } })
    const accepted = new Promise<void>((resolve) => { passed = resolve })
    const text = JSON.stringify(body)
    sent.write(text.slice(0, 10))
    await accepted
    return async () => {
      sent.end(text.slice(10))
      const [response] = await once(sent, 'response') as [IncomingMessage]
      const { code } = JSON.parse(await response.toArray().then((parts) => Buffer.concat(parts).toString()))
      return `${response.statusCode} ${code} ${/error="(\w+)"/.exec(response.headers['www-authenticate'] ?? '')?.[1]}`
    }
  }
  const ended = await begin(realm.token({ scope: 'notes:write', username: 'bob', expiresIn: 300 }), call('write-note'))
  const listing = await begin(realm.token({ username: 'bob', expiresIn: 300 }), { jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const loggedOut = await begin(realm.token({ scope: 'notes:write' }), call('write-note'))
  const good = await begin(realm.token({ username: 'bob', scope: 'notes:write', expiresIn: 900 }), call('write-note'))
  await logOut(app, realm)
  t.equal(await loggedOut(), '401 token_not_valid invalid_token')
  clocks.advance(301)
  for (const finish of [ended, listing]) t.equal(await finish(), '401 token_expired invalid_token')
  t.same(reached, [])
  t.equal(await good(), '200 undefined undefined')
  t.match(refusalsIn(log), [{ code: 'token_not_valid' }, { code: 'token_expired' }, { code: 'token_expired' }])
})

t.test('a later hook cannot take the check away from a route: the start stops', async (t) => {
  const realm = await realmFor(t)
  const mine = async (): Promise<void> => {}
  const tools = { w: 'notes:write', '*': false } as const
  const start = async (hook: (route: RouteOptions) => void, config: KeycloakRouteConfig = { mcp: { tools } }, own: object = {}): Promise<string> => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, resource: RESOURCE })
    app.addHook('onRoute', (route) => { if (route.url === '/mcp') hook(route) })
    app.post('/mcp', { config, ...own }, async () => 'open')
    try {
      await app.ready()
    } catch (error) {
      return (error as Error).message.replace('fastify-keycloak-bearer: POST /mcp: ', '')
    }
    return String((await app.inject({ method: 'POST', url: '/mcp', payload: call('w'), headers: bearer(realm.token({ scope: 'x' })) })).statusCode)
  }
  const list = (hooks: unknown): never[] => [hooks].flat() as never[]
  const CHANGED = 'an onRoute hook has changed preHandler, so that the check of tools would not be its first and its last hook; register what adds this hook before fastify-keycloak-bearer, or write the hooks into the route itself'
  const changes: Array<[name: string, hook: (route: RouteOptions) => void]> = [
    ['replaced', (route) => { route.preHandler = mine }],
    ['replaced by a list', (route) => { route.preHandler = [mine, mine] }],
    ['removed', (route) => { delete route.preHandler }],
    ['emptied', (route) => { (route.preHandler as unknown[]).length = 0 }],
    ['appended', (route) => { route.preHandler = [...list(route.preHandler), mine] }],
    ['pushed', (route) => { (route.preHandler as unknown[]).push(mine) }],
    ['prepended', (route) => { route.preHandler = [mine, ...list(route.preHandler)] }]
  ]
  for (const [name, hook] of changes) {
    t.equal(await start(hook), CHANGED, name)
    t.equal(await start(hook, undefined, { preHandler: mine }), CHANGED, `${name}, beside a hook of the route`)
  }
  for (const hook of [(route: RouteOptions) => { route.onRequest = mine }, (route: RouteOptions) => { delete route.onRequest }]) {
    for (const config of [{ mcp: { tools } }, { mcp: true }] as const) t.match(await start(hook, config), /^an onRoute hook has replaced onRequest, so that request\.raw\.auth would not be set; register what/)
  }
  t.equal(await start((route) => { route.onRequest = [...list(route.onRequest), mine] }), '403', 'one hook more is no harm there')
  t.equal(await start((route) => { route.onRequest = [mine, ...list(route.onRequest)] }), '403')
  t.equal(await start((route) => { route.preHandler = mine }, { mcp: true }), '200', 'without rules of tools there is no check')
  const TAKEN = /^config\.mcp or its tools were taken away after fastify-keycloak-bearer had seen the route/
  t.match(await start((route) => { route.config = { ...route.config, mcp: true } as object }), TAKEN)
  for (const config of [{ mcp: { tools } }, { mcp: true }] as const) {
    t.match(await start((route) => { delete (route.config as KeycloakRouteConfig).mcp }, config), TAKEN)
    t.match(await start((route) => { route.config = {} as never }, config), TAKEN)
  }
  t.equal(await start((route) => { route.config = { ...route.config, mcp: { tools: { w: false } } } as object }), '403', 'other rules are compiled anew')
  t.match(await start((route) => { (route as { websocket?: boolean }).websocket = true }), /^config\.mcp\.tools has no effect on the messages of a WebSocket/)
})

t.test('rules of tools on a WebSocket are an error when the route is added', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(websocket)
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  const config = { mcp: { tools: { w: 'notes:write' } } } as const
  const message = 'fastify-keycloak-bearer: GET /ws: config.mcp.tools has no effect on the messages of a WebSocket; write mcp: true, and check each call in the handler'
  t.throws(() => app.get('/ws', { websocket: true, config }, () => {}), { message })
  t.throws(() => app.route({ method: 'GET', url: '/ws', config, handler: async () => 'http', wsHandler: () => {} }), { message })
  app.get('/caller', { websocket: true, config: { mcp: true } }, () => {})
  await app.ready()
})

t.test('rules of tools beside mcp, and misspellings of it, are an error when the route is added', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, resource: RESOURCE })
  const add = (options: object) => () => app.post('/mcp', options, async () => 'open')
  const rules = { w: 'notes:write' }
  for (const key of ['tools', 'Tools', 'tool', 'toolRules', 'required_tools']) {
    for (const mcp of [true, { tools: rules }]) {
      t.throws(add({ config: { mcp, [key]: rules } }), { message: `fastify-keycloak-bearer: POST /mcp: config.${key} is not known; write mcp: { tools: … }` })
      t.throws(add({ config: { mcp }, [key]: rules }), { message: `fastify-keycloak-bearer: POST /mcp: ${key} stands beside config, where nothing looks at it; write config: { mcp: { tools: … } }` })
    }
  }
  for (const key of ['mpc', 'mcps', 'Mcp', 'M_C_P']) t.throws(add({ config: { [key]: true } }), { message: `fastify-keycloak-bearer: POST /mcp: config.${key} is not known; write mcp` })
  for (const key of ['mcpTools', 'mcp_tools', 'mcpToolRules']) t.throws(add({ config: { [key]: rules } }), { message: `fastify-keycloak-bearer: POST /mcp: config.${key} is not known; write mcp: { tools: … }` })
  app.post('/other', { config: { authenticated: true, tools: ['hammer'] } as object, tools: ['hammer'] } as object, async () => 'of another package')
})
