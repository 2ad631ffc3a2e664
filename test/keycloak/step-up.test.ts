// A stronger and a more recent login, by the challenge of a route: acr and auth_time as a real Keycloak writes them.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { KeycloakOptions } from '../../types/options.js'
import { api, decode, get, pause, refused } from './helpers.js'
import { stepUpRealm } from './step-up-realm.js'

const realm = await stepUpRealm(t)
const options = { issuer: realm.issuer, clientId: 'api', clientSecret: 'api-secret', audience: 'api', acrLevels: ['silver', 'gold'] } satisfies KeycloakOptions
const ok = async () => 'ok'

async function stepUpApi (t: Test, settings: Partial<KeycloakOptions> = {}): Promise<FastifyInstance> {
  const app = await api(t, { ...options, ...settings })
  app.get('/silver', { config: { acr: 'silver' } }, ok)
  app.get('/gold', { config: { acr: 'gold' } }, ok)
  app.get('/fresh', { config: { maxAge: 2 } }, ok)
  app.get('/both', { config: { acr: 'gold', maxAge: 300 } }, ok)
  return app
}

/** The parameters of the login that a challenge asks for, as a client reads them. */
async function demandOf (t: Test, app: FastifyInstance, url: string, token: string): Promise<Record<string, string>> {
  const response = await get(app, url, token)
  refused(t, response, 'insufficient_user_authentication')
  const found = String(response.headers['www-authenticate']).matchAll(/(acr_values|max_age)="([^"]*)"/g)
  return Object.fromEntries(Array.from(found, ([, name, value]) => [name, value]))
}

t.test('a login by password is silver; the challenge leads to one with a code, which is gold, and refresh keeps it', async (t) => {
  const app = await stepUpApi(t)
  const browser = realm.browser()
  const silver = await browser()
  t.same(silver.pages, ['username password'])
  t.match(decode(silver.access_token).claims, { acr: 'silver', auth_time: Number })
  t.equal((await get(app, '/silver', silver.access_token)).statusCode, 200)

  const demand = await demandOf(t, app, '/gold', silver.access_token)
  t.same(demand, { acr_values: 'gold' })
  const gold = await browser(demand)
  t.same(gold.pages, ['otp'], 'the password is not asked for again')
  t.equal(decode(gold.access_token).claims.acr, 'gold')
  for (const url of ['/gold', '/silver', '/both']) t.equal((await get(app, url, gold.access_token)).statusCode, 200, url)
  refused(t, await get(app, '/gold', silver.access_token), 'insufficient_user_authentication')

  const renewed = await realm.refresh(gold.refresh_token)
  t.match(decode(renewed.access_token).claims, { acr: 'gold', auth_time: decode(gold.access_token).claims.auth_time }, 'the date is that of the login')
  t.equal((await get(app, '/both', renewed.access_token)).statusCode, 200)
})

t.test('a route for recent logins asks for the password again, and a refresh is no login', async (t) => {
  const app = await stepUpApi(t)
  const browser = realm.browser()
  const first = await browser()
  t.equal((await get(app, '/fresh', first.access_token)).statusCode, 200)
  await pause(4000)
  t.same(await demandOf(t, app, '/fresh', (await realm.refresh(first.refresh_token)).access_token), { max_age: '2' })
  t.same((await browser()).pages, [], 'single sign-on')
  const demand = await demandOf(t, app, '/fresh', (await browser()).access_token)
  const again = await browser(demand)
  t.equal(again.pages.length, 1)
  t.match(again.pages, [/password/])
  t.equal((await get(app, '/fresh', again.access_token)).statusCode, 200)
})

t.test('a route that needs both gets both by one login', async (t) => {
  const app = await stepUpApi(t)
  const browser = realm.browser()
  const demand = await demandOf(t, app, '/both', (await browser()).access_token)
  t.same(demand, { acr_values: 'gold', max_age: '300' })
  t.equal((await get(app, '/both', (await browser(demand)).access_token)).statusCode, 200)
})

t.test('introspection answers the level of the session of now, and the token has a word too', async (t) => {
  const [app, introspecting] = [await stepUpApi(t), await stepUpApi(t, { verifyTokensWithKeycloak: true })]
  const browser = realm.browser()
  const gold = await browser({ acr_values: 'gold' })
  t.same(gold.pages, ['username password', 'otp'])
  t.equal((await get(introspecting, '/gold', gold.access_token)).statusCode, 200)

  const silver = await browser({ acr_values: 'silver' })
  t.equal(decode(silver.access_token).claims.acr, 'silver')
  t.equal((await get(introspecting, '/me', gold.access_token)).json().claims.acr, 'silver', 'the session sank')
  refused(t, await get(introspecting, '/gold', gold.access_token), 'insufficient_user_authentication')
  t.equal((await get(app, '/gold', gold.access_token)).statusCode, 200, 'without introspection the token alone decides')

  await browser({ acr_values: 'gold' })
  t.equal((await get(introspecting, '/me', silver.access_token)).json().claims.acr, 'gold', 'the session rose')
  refused(t, await get(introspecting, '/gold', silver.access_token), 'insufficient_user_authentication')
  t.equal((await get(introspecting, '/gold', gold.access_token)).statusCode, 200)
})

t.test('a service account has the lowest level and no date of a login', async (t) => {
  const app = await stepUpApi(t)
  const token = await realm.serviceToken()
  t.match(decode(token).claims, { acr: 'silver', auth_time: undefined })
  t.equal((await get(app, '/silver', token)).statusCode, 200)
  for (const url of ['/gold', '/fresh', '/both']) refused(t, await get(app, url, token), 'insufficient_user_authentication')
})
