import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import { Agent } from 'undici'
import keycloak, { bearerToken, KeycloakError, openapi } from '../../index.js'
import { apiFor, ask, logging, realmFor, refusalOf, WARN } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'

const good = { issuer: 'https://sso.example.com/realms/acme', clientSecret: 'my-very-own-secret' }

t.test('every option may be given at once', async (t) => {
  t.equal(await refusalOf({
    ...good,
    serverUrl: 'http://keycloak:8080/realms/acme',
    clientId: 'api',
    audience: ['api'],
    authorizedParties: ['web', 'cli'],
    maxTokenAge: 600,
    tokenType: 'at+jwt',
    algorithms: ['RS256', 'ES256'],
    permissionPath: 'realm_access.roles',
    userIdField: 'id',
    userIdClaim: 'sub',
    claimMapping: {},
    verifySignature: true,
    verifyInThreadPool: false,
    verifyTokensWithKeycloak: true,
    verifyCertificate: true,
    ca: [Buffer.from(CERTIFICATE)],
    leeway: 1.5,
    syncUser: () => ({}),
    extractToken: () => null,
    requireAuthentication: true,
    introspection: { timeout: 1, cacheTtl: 0 },
    jwks: { maxAge: 1, cooldown: 0, timeout: 1, maxStale: 0 },
    cache: { max: 1, maxBytes: 1 },
    startCheck: 'warn',
    limits: { tokenLength: 100, jsonDepth: 3, keySetBytes: 1000, introspectionBytes: 1000 }
  }), 'started')
  t.equal(await refusalOf({ ...good, cache: false, permissionPath: () => [] }), 'started')
})

t.test('settings that risk something warn once at start, in words that say what', async (t) => {
  const realm = await realmFor(t)
  const warnings = async (options: object) => {
    const log = logging()
    const app = await apiFor(t, realm, options, log)
    for (let times = 0; times < 3; times++) await ask(app, '/open', realm.token())
    return log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)
  }
  t.same(await warnings({}), [])
  t.match(await warnings({ verifySignature: false }), [/ANYBODY can write a token/])
  t.match(await warnings({ verifyCertificate: false }), [/forge every token/])
  t.match(await warnings({ audience: null }), [/any client of the realm was given for another API is accepted here too/])
  t.match(await warnings({ audience: null, verifyTokensWithKeycloak: true }), [/tokens inactive whose aud lacks "api"/])
})

t.test('options may be an instance of a class, with getters', async (t) => {
  const realm = await realmFor(t)
  class Config {
    readonly issuer = realm.issuer
    get requireAuthentication (): boolean { return true }
    get jwks (): object { return new (class { get maxAge (): number { return 5000 } })() }
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, new Config() as never)
  app.get('/', async () => 'ok')
  t.equal((await app.inject('/')).statusCode, 401)
  t.match(await refusalOf(Object.create(Config.prototype)), /option "issuer" must be/)
  t.match(await refusalOf(Object.assign(new Config(), { unknown: 1 })), /option "unknown" is unknown/)
})

t.test('verifySignature: false is refused in production', async (t) => {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  t.teardown(() => { process.env.NODE_ENV = before })
  t.match(await refusalOf({ ...good, verifySignature: false }), /option "verifySignature" must be true when NODE_ENV is production/)
})

t.test('a dispatcher of one\'s own carries the calls, and stays open', async (t) => {
  const realm = await realmFor(t)
  let calls = 0
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.close())
  const counting = dispatcher.compose((dispatch) => (options, handler) => { calls++; return dispatch(options, handler) })
  const app = await apiFor(t, realm, { dispatcher: counting, verifyTokensWithKeycloak: true })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(calls, 2)
  await app.close()
  t.equal(dispatcher.closed, false)
})

t.test('the plugin carries what belongs to it', async (t) => {
  t.equal(keycloak.openapi, openapi)
  t.equal(keycloak.bearerToken, bearerToken)
  const error = new KeycloakError('token_expired', 'why')
  t.equal(String(error), 'KeycloakError: The access token has expired.')
  t.notMatch(JSON.stringify({ ...error }), /why/)
})

t.test('the memory for tokens is smaller by default if the heap may not grow', async (t) => {
  const bounds = async (...flags: string[]) => {
    const script = "import { DEFAULT_CACHE } from './lib/options/schema.js'; console.log(JSON.stringify(DEFAULT_CACHE))"
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--import=./scripts/blank-types.mjs', '--input-type=module', '-e', script])
    return JSON.parse(stdout) as { max: number, maxBytes: number }
  }
  t.same(await bounds('--max-old-space-size=4096'), { max: 50_000, maxBytes: 192 * 1024 ** 2 })
  const small = await bounds('--max-old-space-size=200')
  t.ok(small.maxBytes >= 25 * 1024 ** 2 && small.maxBytes < 50 * 1024 ** 2, `${small.maxBytes} bytes`)
})
