// A kept token answers for itself no longer than the login it tells of is fresh enough.
import t from 'tap'
import type { Claims } from '../../index.js'
import { apiFor, ask, logging, realmFor, refusalsIn } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'

const OLD = '401 insufficient_user_authentication'

t.test('a login that has become too old is refused, however often its token passed before', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/fresh', { config: { maxAge: 300 } }, async () => 'ok')
  app.get('/strong', { config: { acr: 'gold' } }, async () => 'ok')
  app.get('/both', { config: { permission: 'pay', acr: 'gold', maxAge: 300 } }, async () => 'ok')
  const token = realm.token({ roles: ['pay'], expiresIn: 3600, claims: { acr: 'gold', auth_time: Math.floor(Date.now() / 1000) } })
  for (const passed of [0, 1, 200]) {
    clocks.advance(passed)
    for (const url of ['/fresh', '/strong', '/both']) t.equal(await ask(app, url, token), '200', url)
  }
  clocks.advance(101)
  for (let times = 0; times < 3; times++) {
    t.equal(await ask(app, '/strong', token), '200')
    t.equal(await ask(app, '/fresh', token), OLD)
    t.equal(await ask(app, '/both', token), OLD)
  }
  t.equal(await ask(app, '/me', token), '200', 'the token itself is good for an hour')
})

t.test('one route does not answer for another: the guard that allowed a token is its own', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/silver', { config: { acr: 'silver' } }, async () => 'ok')
  app.get('/gold', { config: { acr: 'gold' } }, async () => 'ok')
  const token = realm.token({ claims: { acr: 'silver' } })
  for (let times = 0; times < 3; times++) {
    t.equal(await ask(app, '/silver', token), '200')
    t.equal(await ask(app, '/gold', token), OLD)
  }
})

t.test('in a handler the age counts at the moment of the question', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { syncUser: (profile) => profile })
  app.get('/has', async (request) => [request.hasAuthentication({ maxAge: 300 })])
  const token = realm.token({ expiresIn: 3600, claims: { auth_time: Math.floor(Date.now() / 1000) } })
  const has = async () => (await realm.inject(app, { url: '/has', as: token })).json()
  t.same(await has(), [true])
  clocks.advance(302)
  t.same(await has(), [false])
})

t.test('a clock that is set back makes no old login fresh: its date is in the future then', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { leeway: 120 }, log)
  app.get('/fresh', { config: { maxAge: 300 } }, async () => 'ok')
  const claims: Claims | Record<string, unknown> = { auth_time: Math.floor(Date.now() / 1000) + 100 }
  const token = realm.token({ expiresIn: 3600, claims })
  t.equal(await ask(app, '/fresh', token), '200', 'within leeway')
  clocks.jump(-60)
  t.equal(await ask(app, '/fresh', token), OLD)
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'auth_time_future')
})
