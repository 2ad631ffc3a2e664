// config.acr and config.maxAge: a route for logins that are strong and recent enough (RFC 9470).
import t from 'tap'
import type { KeycloakReasonCode, KeycloakRouteConfig } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor, refusalsIn } from '../support/app.js'

const WEAK = '401 insufficient_user_authentication'
const CHALLENGE = 'Bearer realm="test", error="insufficient_user_authentication", error_description="A stronger or more recent login is required."'

const now = () => Math.floor(Date.now() / 1000)
const ok = async () => 'ok'

/** The login of a token, and whether it passes each of these routes. */
type Row = [acr: unknown, authTime: number | undefined, passes: Record<string, boolean>]

const ROUTES: Record<string, KeycloakRouteConfig> = {
  gold: { acr: 'gold' },
  either: { acr: ['silver', 'gold'] },
  fresh: { maxAge: 300 },
  both: { acr: 'gold', maxAge: 300 }
}

const ALL = { gold: true, either: true, fresh: true, both: true }
const NONE = { gold: false, either: false, fresh: false, both: false }

t.test('a route asks for a level, an age, or both', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const [name, config] of Object.entries(ROUTES)) app.get(`/${name}`, { config }, ok)
  const rows: Row[] = [
    ['gold', 10, ALL], ['gold', 1000, { ...ALL, fresh: false, both: false }], ['gold', undefined, { ...ALL, fresh: false, both: false }],
    ['silver', 10, { ...NONE, either: true, fresh: true }], ['silver', 1000, { ...NONE, either: true }],
    ['platinum', 10, { ...NONE, fresh: true }], [undefined, 10, { ...NONE, fresh: true }], [undefined, undefined, NONE],
    ['Gold', 10, { ...NONE, fresh: true }], ['gold ', 10, { ...NONE, fresh: true }], ['silver gold', 10, { ...NONE, fresh: true }], ['', 10, { ...NONE, fresh: true }]
  ]
  for (const [acr, age, passes] of rows) {
    const token = realm.token({ claims: { acr, auth_time: age === undefined ? undefined : now() - age } })
    for (const [name, passed] of Object.entries(passes)) t.equal(await ask(app, `/${name}`, token), passed ? '200' : WEAK, `${name}: ${acr}, ${age} s ago`)
  }
  for (const name of Object.keys(ROUTES)) t.equal(await ask(app, `/${name}`), '401 not_authenticated', name)
})

t.test('the challenge names both where the route has both, whichever failed', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const [name, config] of Object.entries(ROUTES)) app.get(`/${name}`, { config }, ok)
  const challengeOf = async (url: string, claims: Record<string, unknown>) => (await app.inject({ url, headers: bearer(realm.token({ claims })) })).headers['www-authenticate']
  const old = { auth_time: now() - 1000 }
  t.equal(await challengeOf('/gold', { acr: 'silver' }), `${CHALLENGE}, acr_values="gold"`)
  t.equal(await challengeOf('/either', { acr: '1' }), `${CHALLENGE}, acr_values="silver gold"`)
  t.equal(await challengeOf('/fresh', old), `${CHALLENGE}, max_age="300"`)
  for (const claims of [{ acr: 'silver', auth_time: now() }, { acr: 'gold', ...old }, { acr: 'silver', ...old }]) {
    t.equal(await challengeOf('/both', claims), `${CHALLENGE}, acr_values="gold", max_age="300"`)
  }
})

t.test('it is asked after scope and permission: who may not in any case need not log in again', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/pay', { config: { permission: 'pay', scope: 'write', acr: 'gold' } }, ok)
  app.get('/late', { config: { permission: async (claims) => claims.azp === 'web', acr: 'gold' } }, ok)
  t.equal(await ask(app, '/pay', realm.token()), '403 permission_denied')
  t.equal(await ask(app, '/pay', realm.token({ roles: ['pay'] })), '403 permission_denied', 'a missing scope')
  t.equal(await ask(app, '/pay', realm.token({ roles: ['pay'], scope: 'write' })), WEAK)
  t.equal(await ask(app, '/pay', realm.token({ roles: ['pay'], scope: 'write', claims: { acr: 'gold' } })), '200')
  t.equal(await ask(app, '/late', realm.token({ authorizedParty: 'cli', claims: { acr: 'gold' } })), '403 permission_denied')
  t.equal(await ask(app, '/late', realm.token()), WEAK)
  t.equal(await ask(app, '/late', realm.token({ claims: { acr: 'gold' } })), '200')
})

t.test('values that no login has open nothing, and the log says why', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  app.get('/gold', { config: { acr: 'gold' } }, ok)
  app.get('/fresh', { config: { maxAge: 300 } }, ok)
  const why = async (url: string, claims: Record<string, unknown>, name = JSON.stringify(claims)) => {
    t.equal(await ask(app, url, realm.token({ claims })), WEAK, name)
    return refusalsIn(log).at(-1)?.reasonCode
  }
  const cases: Array<[url: string, values: unknown[], code: KeycloakReasonCode]> = [
    ['/gold', [undefined], 'acr_missing'],
    ['/gold', [null, ['gold'], [['gold']], { gold: true }, { 0: 'gold' }, 5, true], 'acr_not_string'],
    ['/gold', ['silver', '__proto__', 'constructor', 'gold\n', 'GOLD', 'x'.repeat(5000)], 'acr_too_low'],
    ['/fresh', [undefined], 'auth_time_missing'],
    ['/fresh', [null, String(now()), [now()], { now: now() }, true, -5, '', 'now'], 'auth_time_malformed'],
    ['/fresh', [now() + 60, now() * 1000, Number.MAX_VALUE], 'auth_time_future'],
    ['/fresh', [now() - 400, 0, 1.5, now() / 1000], 'login_too_old']
  ]
  for (const [url, values, code] of cases) {
    for (const value of values) t.equal(await why(url, { [url === '/gold' ? 'acr' : 'auth_time']: value }), code)
  }
  t.equal(await why('/gold', JSON.parse('{ "acr": null, "__proto__": { "acr": "gold" } }'), 'a prototype'), 'acr_not_string')
  t.notOk(log.text.includes('xxxxx'), 'a long level is not shown')
})

t.test('1e999 is no date', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/fresh', { config: { maxAge: 300 } }, ok)
  const claims = await app.keycloak.verify(realm.token())
  for (const date of ['1e999', '-1e999']) {
    const payload = JSON.stringify(claims).replace('{', `{"auth_time":${date},`)
    t.equal(await ask(app, '/fresh', realm.sign(Buffer.from(payload))), WEAK, date)
  }
})

t.test('leeway counts for the date of the login as for others, and the age in whole seconds, as Keycloak counts it', async (t) => {
  let moment = 1_800_000_000_999
  t.intercept(Date, 'now', { value: () => moment })
  const realm = await realmFor(t)
  const strict = await apiFor(t, realm)
  const lenient = await apiFor(t, realm, { leeway: 5 })
  for (const app of [strict, lenient]) app.get('/fresh', { config: { maxAge: 300 } }, ok)
  const login = now()
  const answersAt = async (age: number) => {
    const token = realm.token({ claims: { auth_time: login - age } })
    return [await ask(strict, '/fresh', token), await ask(lenient, '/fresh', token)]
  }
  t.same(await answersAt(300), ['200', '200'], 'within the last second Keycloak takes the login to be recent enough')
  moment += 1
  t.same(await answersAt(300), [WEAK, '200'])
  t.same(await answersAt(304), [WEAK, '200'])
  t.same(await answersAt(305), [WEAK, WEAK])
  t.same(await answersAt(-4), [WEAK, '200'], 'a login in the future')
  t.same(await answersAt(-9), [WEAK, WEAK])
})
