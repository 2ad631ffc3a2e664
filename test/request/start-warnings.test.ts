// What the start warns of, and where an operator hears of it.
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { apiFor, ask, logging, realmFor, until, WARN } from '../support/app.js'
import { listening } from '../support/doctor.js'

/** The codes of the warnings of a start, each with its sentence. */
async function warningsOf (t: Test, realm: TestRealm, options: Partial<KeycloakOptions>): Promise<Record<string, string>> {
  const log = logging()
  const app = await apiFor(t, realm, options, log)
  for (let times = 0; times < 2; times++) await ask(app, '/open', realm.token())
  const warnings = log.lines.filter(({ level, code }) => level === WARN && code !== undefined).map(({ code, msg }) => [code, msg])
  const byCode = Object.fromEntries(warnings)
  t.equal(Object.keys(byCode).length, warnings.length, 'once each')
  return byCode
}

t.test('roles of the client "account" are no permissions: a clientId that was left out is a warning', async (t) => {
  const realm = await realmFor(t)
  for (const options of [{ clientId: undefined }, { clientId: undefined, requireAuthentication: true }]) {
    t.match(await warningsOf(t, realm, options), { account_roles: /^clientId is left out .*"account", where Keycloak gives every user "view-profile".* Set clientId/ })
  }
  for (const options of [{}, { clientId: undefined }, { clientId: 'account' }]) {
    for (const permissionPath of ['resource_access.account.roles', ['resource_access', 'account', 'roles']]) {
      t.match(await warningsOf(t, realm, { ...options, permissionPath }), { account_roles: /^permissionPath is "resource_access\.account\.roles": .*every user "view-profile"/ })
      t.same(await warningsOf(t, realm, { ...options, permissionPath, acceptRisks: ['account_roles'] }), {}, 'accepted')
    }
  }
  const { clientId, ...without } = realm.options
  const app = Fastify(logging())
  t.teardown(() => app.close())
  await app.register(keycloak, without)
  app.get('/profile', { config: { permission: 'view-profile' } }, async () => 'ok')
  const anybody = realm.token({ claims: { resource_access: { account: { roles: ['view-profile'] } } } })
  t.equal(await ask(app, '/profile', anybody), '200', 'this is what it warns of')
  for (const options of [{}, { clientId: 'account' }, { clientId: undefined, permissionPath: 'realm_access.roles' }, { clientId: undefined, permissionPath: () => [] }]) {
    t.same(await warningsOf(t, realm, options), {}, JSON.stringify(options))
  }
})

t.test('users known by their addresses are a warning', async (t) => {
  const realm = await realmFor(t)
  t.match(await warningsOf(t, realm, { userIdClaim: 'email' }), { email_as_id: /^userIdClaim is "email": .* Prefer userIdClaim: "sub"/ })
  for (const options of [{ userIdClaim: 'email', acceptUnverifiedEmail: true }, { userIdClaim: 'sub' }, { userIdClaim: 'email_verified' }]) {
    t.same(await warningsOf(t, realm, options), {}, JSON.stringify(options))
  }
})

t.test('a client secret that nobody uses is a warning', async (t) => {
  const realm = await realmFor(t)
  const code = { client_secret_unused: /^clientSecret is given, but tokens are not introspected: .* Write verifyTokensWithKeycloak: true, or leave clientSecret out\. See docs\/production\.md#client_secret_unused$/ }
  t.match(await warningsOf(t, realm, { clientSecret: 'another' }), code)
  t.match(await warningsOf(t, realm, { clientSecret: () => 'another' }), code)
  t.same(await warningsOf(t, realm, { clientSecret: undefined }), {})
  t.same(await warningsOf(t, realm, { verifyTokensWithKeycloak: true }), {})
  t.same(await warningsOf(t, realm, {}), {}, 'the options of a test realm have one in any case')
})

t.test('back-channel logouts for this API\'s own client alone are a warning', async (t) => {
  const realm = await realmFor(t)
  const path = '/logout'
  for (const clients of ['api', ['api'], ['api', 'api']]) {
    t.match(await warningsOf(t, realm, { backchannelLogout: { path, clients } }), { logout_of_own_client: /^backchannelLogout\.clients names "api" alone, this API's own client/ })
  }
  for (const clients of ['web', ['api', 'web']]) t.same(await warningsOf(t, realm, { backchannelLogout: { path, clients } }), {})
})

t.test('each warning of a setting has a code of its own', async (t) => {
  const realm = await realmFor(t)
  const warnings = await warningsOf(t, realm, { audience: null, verifySignature: false, verifyCertificate: false })
  t.same(Object.keys(warnings), ['signature_unchecked', 'certificate_unchecked', 'audience_unchecked'])
})

/** The warnings of the process while something runs. */
async function processWarnings (run: (warnings: ReadonlyArray<{ code: string }>) => Promise<void>): Promise<Array<{ name: string, code: string, message: string }>> {
  const warnings: Array<{ name: string, code: string, message: string }> = []
  const listener = (warning: Error): void => { warnings.push(warning as typeof warnings[number]) }
  process.on('warning', listener)
  await run(warnings)
  // A warning is emitted in the next tick, which comes before this.
  await setImmediate()
  process.off('warning', listener)
  return warnings.filter(({ name }) => name.startsWith('FastifyKeycloakBearer'))
}

t.test('without a logger, warnings of the start are warnings of the process, once each', async (t) => {
  const realm = await realmFor(t)
  for (const server of [undefined, {}, { logger: false }, { logger: undefined }] as const) {
    const warnings = await processWarnings(async () => {
      const app = Fastify(server)
      t.teardown(() => app.close())
      await app.register(keycloak, { ...realm.options, audience: null, clientId: undefined })
      for (let times = 0; times < 3; times++) await app.inject('/')
    })
    t.match(warnings, [
      { name: 'FastifyKeycloakBearerWarning', code: 'audience_unchecked', message: /^audience is null/ },
      { name: 'FastifyKeycloakBearerWarning', code: 'account_roles', message: /^clientId is left out/ }
    ])
    t.equal(warnings.length, 2)
  }
})

t.test('a scope of an application without a logger has none either', async (t) => {
  const realm = await realmFor(t)
  const warnings = await processWarnings(async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    app.register(async (scope) => { await scope.register(keycloak, { ...realm.options, audience: null }) }, { logLevel: 'debug', prefix: '/api' })
    await app.ready()
  })
  t.match(warnings, [{ code: 'audience_unchecked' }])
})

t.test('with a logger the process is not warned, whatever the logger is and writes', async (t) => {
  const realm = await realmFor(t)
  const stream = new PassThrough().resume()
  const lines: unknown[] = []
  const own = { level: 'info', fatal: () => {}, error: () => {}, warn: (...line: unknown[]) => { lines.push(line) }, info: () => {}, debug: () => {}, trace: () => {}, silent: () => {}, child: () => own }
  const minimal = { ...own, level: undefined as never }
  const servers: Record<string, FastifyServerOptions> = {
    'a stream': { logger: { stream } },
    'level error': { logger: { level: 'error', stream } },
    'level silent': { logger: { level: 'silent', stream } },
    'request logging off': { logger: { stream }, disableRequestLogging: true },
    'an instance': { loggerInstance: own as never },
    'an instance without a level': { loggerInstance: minimal as never }
  }
  for (const [name, server] of Object.entries(servers)) {
    t.same(await processWarnings(async () => {
      const app = Fastify(server as never)
      t.teardown(() => app.close())
      await app.register(keycloak, { ...realm.options, audience: null })
      await app.ready()
    }), [], name)
  }
  t.match(lines, [[{ code: 'audience_unchecked' }], [{ code: 'audience_unchecked' }]])
})

t.test('without a logger, what the check at start finds is a warning of the process, once each', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const warnings = await processWarnings(async (soFar) => {
    const has = (check: string): boolean => soFar.some(({ code }) => code === check)
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, issuer: `${realm.issuer}/`, startCheck: 'warn', jwks: { maxAge: 600 } })
    await app.listen({ port: 0, host: '127.0.0.1' })
    await until(() => has('units'))
    await realm.up()
    await until(() => has('issuer_mismatch'))
  })
  t.match(warnings, [{ code: 'unreachable', message: /nothing listens/ }, { code: 'units' }, { code: 'issuer_mismatch', message: /slash at the end/ }])
  t.equal(warnings.length, 3)
})

t.test('without a logger, a check that finds nothing says nothing', async (t) => {
  const realm = await realmFor(t)
  t.same(await processWarnings(async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, startCheck: 'warn' })
    await app.listen({ port: 0, host: '127.0.0.1' })
    await until(() => realm.requests.certs > 0)
    // A check that began later has ended.
    await listening(t, realm)
  }), [])
})
