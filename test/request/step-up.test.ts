// request.hasAuthentication and insufficientUserAuthentication: a login that the amount, or another object, decides on.
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { insufficientUserAuthentication, KeycloakError } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor } from '../support/app.js'

const WEAK = '401 insufficient_user_authentication'
const now = () => Math.floor(Date.now() / 1000)

/** Demands that mean nothing. */
const NONSENSE: Array<[demand: unknown, message: RegExp]> = [
  ...[undefined, null, 'gold', 300, [], ['gold'], true].map((each): [unknown, RegExp] => [each, / takes an object with acr, maxAge or both, such as \{ acr: 'gold', maxAge: 300 \}, not /]),
  [{}, /, not an empty object$/],
  [{ acr: 'gold', max_age: 300 }, /; "max_age" is not known$/], [{ acrValues: 'gold' }, /; "acrValues" is not known$/], [JSON.parse('{ "acr": "gold", "__proto__": 1 }'), /; "__proto__" is not known$/],
  ...[undefined, '', [], 'a b', 5, ['gold', null]].map((acr): [unknown, RegExp] => [{ acr }, /^acr of \w+ must be a level/]),
  ...[undefined, 0, -1, 1.5, NaN, '300', null].map((maxAge): [unknown, RegExp] => [{ acr: 'gold', maxAge }, /^maxAge of \w+ must be a whole number of seconds from 1/])
]

t.test('hasAuthentication tells whether the login is strong and recent enough', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/has', async (request) => [
    request.hasAuthentication({ acr: 'gold' }), request.hasAuthentication({ acr: ['silver', 'gold'] }), request.hasAuthentication({ maxAge: 300 }), request.hasAuthentication({ acr: 'gold', maxAge: 300 })
  ])
  const has = async (claims: Record<string, unknown>) => (await app.inject({ url: '/has', headers: bearer(realm.token({ claims })) })).json()
  t.same(await has({ acr: 'gold', auth_time: now() }), [true, true, true, true])
  t.same(await has({ acr: 'gold', auth_time: now() - 400 }), [true, true, false, false])
  t.same(await has({ acr: 'silver', auth_time: now() }), [false, true, true, false])
  t.same(await has({ acr: ['gold'], auth_time: String(now()) }), [false, false, false, false])
  t.same(await has({ acr: undefined }), [false, false, false, false])
  t.same((await app.inject('/has')).json(), [false, false, false, false], 'anonymous')
})

t.test('a payment above an amount sends the client to log in, with the challenge of a route', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const strong = { acr: ['gold', 'platinum'], maxAge: 300 } as const
  app.get<{ Querystring: { amount: string } }>('/pay', { config: { permission: 'pay' } }, async (request) => {
    if (Number(request.query.amount) > 1000 && !request.hasAuthentication(strong)) throw insufficientUserAuthentication(strong)
    return 'paid'
  })
  const weak = realm.token({ roles: ['pay'] })
  t.equal(await ask(app, '/pay?amount=10', weak), '200')
  t.equal(await ask(app, '/pay?amount=5000', realm.token({ roles: ['pay'], claims: { acr: 'gold', auth_time: now() } })), '200')
  const { statusCode, headers, ...response } = await app.inject({ url: '/pay?amount=5000', headers: bearer(weak) })
  t.equal(statusCode, 401)
  t.equal(headers['www-authenticate'], 'Bearer realm="test", error="insufficient_user_authentication", error_description="A stronger or more recent login is required.", acr_values="gold platinum", max_age="300"')
  t.same(response.json(), { statusCode: 401, code: 'insufficient_user_authentication', error: 'Unauthorized', message: 'A stronger or more recent login is required.' })
})

t.test('the error is one of the plugin, with a reason for the log', async (t) => {
  const error = insufficientUserAuthentication({ maxAge: 60 })
  t.ok(error instanceof KeycloakError)
  t.match(error, { statusCode: 401, code: 'insufficient_user_authentication', reasonCode: 'login_not_enough', challengeParameters: { max_age: '60' } })
  t.equal(error.reason, 'a handler of the application demands a login with maxAge 60 s')
  t.equal(insufficientUserAuthentication({ acr: 'gold', maxAge: 60 }).reason, 'a handler of the application demands a login with acr gold and maxAge 60 s')
})

t.test('a demand that means nothing is a TypeError, for an anonymous caller too', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  let demand: unknown
  app.get('/has', async (request) => [request.hasAuthentication(demand as never)])
  for (const [each, message] of NONSENSE) {
    demand = each
    t.throws(() => insufficientUserAuthentication(each as never), { name: 'TypeError', message })
    for (const headers of [{}, bearer(realm.token())]) {
      const { statusCode, ...response } = await app.inject({ url: '/has', headers })
      t.equal(statusCode, 500)
      t.match(response.json().message, message)
    }
  }
})

t.test('a level that acrLevels does not have is an error of the application as well', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { acrLevels: ['silver', 'gold'] })
  app.get('/has', async (request) => [request.hasAuthentication({ acr: 'silver' })])
  app.get('/typo', async (request) => [request.hasAuthentication({ acr: ['gold', 'slver'] })])
  const token = realm.token({ claims: { acr: 'gold' } })
  t.same((await app.inject({ url: '/has', headers: bearer(token) })).json(), [true], 'a higher one')
  t.match((await app.inject({ url: '/typo', headers: bearer(token) })).json(), { statusCode: 500, message: 'acr of hasAuthentication names "slver", which acrLevels does not have' })
})

t.test('another plugin that decorates hasAuthentication stops the start', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorateRequest('hasAuthentication', () => false)
  await t.rejects(Promise.resolve(app.register(keycloak, realm.options)), { message: /request\.hasAuthentication is decorated by another plugin already; register the two in sibling scopes/ })
})

t.test('the error of another copy of the package, as that of the other module format, has its challenge too', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const url = '../../lib/errors.js?step-up'
  const { KeycloakError: Copy } = await import(url) as { KeycloakError: typeof KeycloakError }
  app.get('/copy', async () => { throw new Copy('insufficient_user_authentication', 'why', { acr_values: 'gold' }) })
  const { headers } = await app.inject({ url: '/copy', headers: bearer(realm.token()) })
  t.match(headers['www-authenticate'], /^Bearer .*error="insufficient_user_authentication".*acr_values="gold"$/)
  t.equal(await ask(app, '/copy'), WEAK, 'for an anonymous caller as well')
})
