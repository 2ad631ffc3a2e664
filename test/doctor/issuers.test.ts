// The check at start with several issuers: each is checked, and each line and sentence says which one it is about.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { SeveralIssuersOptions } from '../../types/options.js'
import { type Log, logging, realmFor, until, WARN } from '../support/app.js'
import { checksOf } from '../support/doctor.js'

const DEBUG = 20

/** An API that trusts realms, with the lines of its log. */
async function apiOf (t: Test, issuers: SeveralIssuersOptions['issuers'], options: Partial<SeveralIssuersOptions> = {}) {
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await app.register(keycloak, { ...options, issuers })
  return { app, log }
}

/** The options of a realm as an entry that is checked. */
function checked ({ options: { startCheck, ...entry } }: TestRealm) {
  return entry
}

async function realms (t: Test, names: string[]): Promise<TestRealm[]> {
  return Promise.all(names.map((name) => realmFor(t, { name })))
}

const linesOf = (log: Log, issuer: string) => checksOf(log).filter((line) => line.issuer === issuer)

t.test('each realm is checked once when the server listens, and each line names its realm', async (t) => {
  const [acme, globex] = await realms(t, ['acme', 'globex']) as [TestRealm, TestRealm]
  await globex.down()
  const { app, log } = await apiOf(t, [checked(acme), checked(globex)])
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => checksOf(log).length === 2)
  t.match(linesOf(log, 'acme'), [{ level: DEBUG, check: 'ok', msg: `issuer acme: Keycloak answers at ${acme.issuer}, and fits the options` }])
  t.match(linesOf(log, 'globex'), [{ level: WARN, check: 'unreachable', reason: 'ECONNREFUSED', msg: /^issuer globex: .*nothing listens on port/ }])
  t.match(acme.requests, { discovery: 1, certs: 1 })
})

t.test('a realm that is away is found later, and the others are not asked again', async (t) => {
  const [acme, globex] = await realms(t, ['acme', 'globex']) as [TestRealm, TestRealm]
  await globex.down()
  const { app, log } = await apiOf(t, [checked(acme), checked(globex)])
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => linesOf(log, 'globex').length === 1)
  await globex.up()
  await until(() => linesOf(log, 'globex').length === 2)
  t.match(linesOf(log, 'globex')[1], { check: 'ok', msg: `issuer globex: Keycloak answers at ${globex.issuer}, and fits the options` })
  t.equal(acme.requests.discovery, 1)
})

t.test('startCheck: require stops the start with the findings of all realms', async (t) => {
  const [acme, globex, initech] = await realms(t, ['acme', 'globex', 'initech']) as [TestRealm, TestRealm, TestRealm]
  await globex.down()
  const issuers = [{ ...checked(acme), issuer: `${acme.issuer}/`, name: 'acme' }, checked(globex), { ...checked(initech), jwks: { maxAge: 600 } }]
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(keycloak, { issuers, startCheck: 'require' }), {
    message: /^fastify-keycloak-bearer: issuer acme: tokens will carry iss .*\. Also: issuer globex: .*nothing listens on port/,
    checks: ['issuer_mismatch', 'unreachable']
  })
  t.match(checksOf(log), [{ level: WARN, check: 'units', issuer: 'initech', msg: /^issuer initech: jwks.maxAge is 600/ }])
})

t.test('startCheck: require goes on where all is well, with their keys', async (t) => {
  const both = await realms(t, ['acme', 'globex'])
  const { app } = await apiOf(t, both.map(checked), { startCheck: 'require' })
  for (const { requests } of both) t.match(requests, { discovery: 1, certs: 1 })
  t.match(app.keycloak.health().issuers, { acme: { ok: true, keys: { state: 'fresh' } }, globex: { ok: true, keys: { state: 'fresh' } } })
})

t.test('a realm can be left out of the check', async (t) => {
  const [acme, globex] = await realms(t, ['acme', 'globex']) as [TestRealm, TestRealm]
  await globex.down()
  await apiOf(t, [checked(acme), globex.options], { startCheck: 'require' })
  t.match(acme.requests, { discovery: 1 })
})

t.test('16 realms are checked at once, the others when it is their turn', async (t) => {
  const many = await realms(t, Array.from({ length: 20 }, (_, at) => `realm-${at}`))
  for (const realm of many) realm.hang('discovery')
  const asked = () => many.filter(({ requests }) => requests.discovery > 0)
  const { app, log } = await apiOf(t, many.map(checked))
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => asked().length >= 16)
  t.equal(asked().length, 16)
  for (const realm of asked()) await realm.up()
  await until(() => asked().length === 20)
  for (const realm of many) await realm.up()
  await until(() => many.every(({ issuer }) => checksOf(log).some(({ check, msg }) => check === 'ok' && msg.includes(issuer))))
})
