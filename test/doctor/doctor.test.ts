// When the start looks at Keycloak, and what it does with what it finds.
import t, { type Test } from 'tap'
import type { DoctorContext } from '../../lib/doctor/run-checks.js'
import { StartCheck } from '../../lib/doctor/start-check.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor, until, WARN } from '../support/app.js'
import { checksOf, discovers, listening, required } from '../support/doctor.js'

const INFO = 30
const DEBUG = 20

/** Does the check of an API that listens now ask the realm its two questions, and no earlier check any? An earlier one would be done before. */
async function isFirstToAsk (t: Test, realm: TestRealm): Promise<void> {
  await listening(t, realm)
  t.same(realm.requests, { certs: 1, introspect: 0, discovery: 1, token: 0, protection: 0, other: 0 })
}

t.test('a server that listens looks once, and is silent where all is well', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await listening(t, realm, { verifyTokensWithKeycloak: true })
  t.match(checksOf(log), [{ level: DEBUG, check: 'ok', msg: `Keycloak answers at ${realm.issuer}, and fits the options` }])
  t.notOk(log.lines.some(({ level }) => level >= WARN))
  t.match(realm.requests, { discovery: 1, certs: 1, introspect: 1 })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.match(realm.requests, { discovery: 1, certs: 1, introspect: 2 }, 'the first request finds the keys there')
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: true } })
})

t.test('nothing is fetched twice that was fetched by jwks.preload', async (t) => {
  const realm = await realmFor(t)
  await listening(t, realm, { jwks: { preload: 'require' } })
  t.match(realm.requests, { discovery: 1, certs: 1 })
})

t.test('an API that does not listen asks nothing, as in tests by inject', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { startCheck: 'warn' })
  t.equal(await ask(app, '/open'), '200')
  await isFirstToAsk(t, realm)
})

t.test('startCheck: false asks nothing', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { startCheck: false })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await isFirstToAsk(t, realm)
})

t.test('what is wrong is a warning with a code, and the server runs on', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await listening(t, realm, { issuer: `${realm.issuer}/` })
  t.match(checksOf(log), [{ level: WARN, check: 'issuer_mismatch', msg: /slash at the end/ }])
  t.equal((await app.inject('/open')).statusCode, 200)
})

t.test('several things are each said', async (t) => {
  const realm = await realmFor(t, { algorithms: ['ES256'] })
  const { log } = await listening(t, realm, { issuer: `${realm.issuer}/`, verifyTokensWithKeycloak: true, clientSecret: 'wrong', jwks: { maxAge: 600 } })
  t.same(checksOf(log).map(({ check }) => check), ['issuer_mismatch', 'algorithms', 'credentials', 'units'])
})

t.test('while Keycloak is away it is said once, and what is wrong is found when it is back', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const { app, log } = await listening(t, realm)
  t.match(checksOf(log), [{ level: WARN, check: 'unreachable', reason: 'ECONNREFUSED', msg: /nothing listens on port \d+ of 127\.0\.0\.1/ }])
  t.equal(app.keycloak.health().ok, true, 'nobody has asked for keys yet')
  await realm.up()
  discovers(realm, { issuer: 'https://sso.example.com/realms/test' })
  await until(() => checksOf(log).length > 1)
  t.match(checksOf(log), [{ check: 'unreachable' }, { level: WARN, check: 'issuer_mismatch', msg: /write issuer: "https:\/\/sso\.example\.com\/realms\/test"/ }])
})

t.test('an outage that ends well is a word', async (t) => {
  const realm = await realmFor(t)
  realm.error(503, 'discovery')
  const { log } = await listening(t, realm)
  t.match(checksOf(log), [{ level: WARN, check: 'unreachable', reason: 'status 503', msg: /it is still starting/ }])
  await until(() => realm.requests.discovery === 2)
  realm.respond('discovery', null)
  await until(() => checksOf(log).some(({ check }) => check === 'ok'))
  t.equal(realm.requests.discovery, 3)
  t.match(checksOf(log), [{ check: 'unreachable' }, { level: INFO, check: 'ok' }])
  t.equal(checksOf(log).length, 2, 'the outage is logged once')
})

t.test('closing ends a look that is under way, and the next one', async (t) => {
  const realm = await realmFor(t)
  realm.hang()
  const log = logging()
  const hanging = await apiFor(t, realm, { startCheck: 'warn' }, log)
  await hanging.listen({ port: 0, host: '127.0.0.1' })
  await until(() => realm.requests.discovery === 1)
  await hanging.close()

  // Without jitter, the earlier of two checks is repeated first.
  t.intercept(Math, 'random', { value: () => 0 })
  await realm.down()
  const { app } = await listening(t, realm)
  const later = await listening(t, realm)
  t.same(checksOf(log), [])
  await app.close()
  await realm.up()
  await until(() => checksOf(later.log).some(({ check }) => check === 'ok'))
  t.equal(realm.requests.discovery, 2, 'the one that hung, and the later API\'s')
})

t.test('closed as soon as it listens, nobody asks Keycloak any more', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { startCheck: 'warn' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await app.close()
  await isFirstToAsk(t, realm)
})

t.test('closed while it is loaded, the check looks at nothing', async (t) => {
  const log = logging()
  const { log: logger } = await apiFor(t, await realmFor(t), {}, log)
  const check = new StartCheck({} as DoctorContext, logger)
  const watching = check.watch()
  check.close()
  await watching
  t.same(log.lines, [])
})

t.test('a check that cannot be made is a warning, and ends nothing', async (t) => {
  const log = logging()
  const { log: logger } = await apiFor(t, await realmFor(t), {}, log)
  await new StartCheck({} as DoctorContext, logger).watch()
  const msg = 'the check at start could not be made; requests are checked as usual'
  t.match(log.lines, [{ level: WARN, msg, reason: 'an error without a code' }])
  const foreign = Object.assign(new Error('what nobody should read'), { code: 'ERR_MODULE_NOT_FOUND' })
  await new StartCheck({ get settings () { throw foreign } } as unknown as DoctorContext, logger).watch()
  t.match(log.lines[1], { level: WARN, msg, reason: 'ERR_MODULE_NOT_FOUND' })
  t.notMatch(JSON.stringify(log.lines), 'nobody should read', 'of a foreign error its code alone')
})

t.test('startCheck: require starts where all is well', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { startCheck: 'require', verifyTokensWithKeycloak: true })
  t.match(realm.requests, { discovery: 1, certs: 1, introspect: 1 })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.match(realm.requests, { discovery: 1, certs: 1, introspect: 2 })
})

t.test('startCheck: require stops the start with every sentence, and their codes', async (t) => {
  const realm = await realmFor(t, { algorithms: ['ES256'] })
  const { message, checks } = await required(t, realm, { issuer: `${realm.issuer}/` })
  t.same(checks, ['issuer_mismatch', 'algorithms'])
  t.match(message, /^fastify-keycloak-bearer: tokens will carry iss .*\. Also: the realm has no key for RS256/)
  await realm.down()
  t.match(await required(t, realm), { checks: ['unreachable'], message: /start Keycloak, or correct the port in issuer/ })
})

t.test('startCheck: require lets pass what may be meant so, with a warning', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  await apiFor(t, realm, { startCheck: 'require', leeway: 5000 }, log)
  t.match(checksOf(log), [{ level: WARN, check: 'units', reason: 'leeway' }])
})
