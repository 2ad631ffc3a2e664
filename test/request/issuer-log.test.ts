// With several issuers, each line about one of them says which.
import Fastify, { type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { apiFor, ask, logging, realmFor, until, WARN } from '../support/app.js'

const INFO = 30

async function apiOf (t: Test, realms: TestRealm[], server: FastifyServerOptions = {}, options: object = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: realms.map((realm) => realm.options), ...options })
  app.get('/me', { config: { authenticated: true } }, async () => 'done')
  return app
}

t.test('the outage of a realm and its end name the realm', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const log = logging()
  const app = await apiOf(t, [acme, globex], log)
  await globex.down()
  t.equal(await ask(app, '/me', acme.token()), '200')
  t.equal(await ask(app, '/me', globex.token()), '503 keycloak_unavailable')
  const about = () => log.lines.filter(({ level, issuer }) => level >= INFO && issuer !== undefined)
  t.match(about(), [{ level: WARN, issuer: 'globex', reason: 'ECONNREFUSED', reasonCode: String, msg: 'issuer globex: Keycloak cannot be used at certs: ECONNREFUSED' }])
  await globex.up()
  await until(() => about().length === 2)
  t.match(about()[1], { level: INFO, issuer: 'globex', msg: /^issuer globex: Keycloak answers again at certs, after \d+ s$/ })
})

t.test('so do warnings about its options', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const log = logging()
  await apiOf(t, [acme], log, { issuers: [acme.options, { ...globex.options, audience: null }] })
  t.match(log.lines.filter(({ level }) => level === WARN), [{ code: 'audience_unchecked', issuer: 'globex', msg: /^issuer globex: audience is null/ }])
})

t.test('so does advice about an algorithm', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex', algorithms: ['RS256', 'PS256'] })
  const log = logging()
  const app = await apiOf(t, [acme, globex], log)
  t.equal(await ask(app, '/me', globex.token({ alg: 'PS256' })), '401 token_not_valid')
  await until(() => log.lines.some(({ check }) => check === 'algorithms'))
  t.match(log.lines.find(({ check }) => check === 'algorithms'), { level: WARN, issuer: 'globex', msg: /^issuer globex: a token that the realm signed by PS256/ })
})

t.test('so do logouts that are refused, and a list of them that is full; one of nobody names none', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const other = await realmFor(t, { name: 'other' })
  const log = logging()
  const app = await apiOf(t, [acme, globex], log, { ...LOGOUT, revocation: { max: 1 }, leeway: 0 })
  t.equal((await logOut(app, globex, { claims: { aud: 'stranger' } })).status, 400)
  t.equal((await logOut(app, other)).status, 400)
  for (const sid of ['one', 'two']) t.equal((await logOut(app, acme, { claims: { sid } })).status, 200)
  t.match(log.lines.filter(({ level, msg }) => level === WARN && /logout|revocation/.test(msg)), [
    { issuer: 'globex', reasonCode: 'aud_mismatch', msg: 'issuer globex: a back-channel logout was refused: aud names none of the audience' },
    { issuer: undefined, reasonCode: 'issuer_unknown', msg: 'a back-channel logout was refused: iss is none of the issuers' },
    { issuer: 'acme', msg: /^issuer acme: revocation\.max sessions and users are remembered/ }
  ])
})

t.test('without a logger the sentence of the warning has the name', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const emitted = t.capture(process, 'emitWarning', () => {})
  await apiOf(t, [acme], {}, { issuers: [acme.options, { ...globex.options, audience: null }] })
  t.match(emitted().map(({ args }) => args), [[/^issuer globex: audience is null/, { code: 'audience_unchecked' }]])
})

t.test('with one issuer the lines are as they were', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const log = logging()
  const app = await apiFor(t, acme, {}, log)
  await acme.down()
  t.equal(await ask(app, '/me', acme.token()), '503 keycloak_unavailable')
  const [line] = log.lines.filter(({ level, reason }) => level === WARN && reason !== undefined)
  t.match(line, { msg: 'Keycloak cannot be used at certs: ECONNREFUSED' })
  t.notOk('issuer' in line!)
})
