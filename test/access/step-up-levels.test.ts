// acrLevels: levels of authentication from low to high.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor, refusalOf } from '../support/app.js'

const WEAK = '401 insufficient_user_authentication'
const ok = async () => 'ok'
const issuer = 'https://sso.example.com/realms/acme'

t.test('a higher level is good for a lower one, and never the other way round', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { acrLevels: ['bronze', 'silver', 'gold'] })
  const levels = ['bronze', 'silver', 'gold'] as const
  for (const level of levels) app.get(`/${level}`, { config: { acr: level } }, ok)
  app.get('/some', { config: { acr: ['gold', 'silver'] } }, ok)
  for (const [own, acr] of ['bronze', 'silver', 'gold'].entries()) {
    const token = realm.token({ claims: { acr } })
    for (const [wanted, level] of levels.entries()) t.equal(await ask(app, `/${level}`, token), own >= wanted ? '200' : WEAK, `${acr} for ${level}`)
    t.equal(await ask(app, '/some', token), own >= 1 ? '200' : WEAK, `${acr} for the lower of two`)
  }
  for (const acr of ['platinum', '3', 'constructor', '__proto__', 'length', undefined, ['gold']]) {
    for (const level of levels) t.equal(await ask(app, `/${level}`, realm.token({ claims: { acr } })), WEAK, `${acr} is none of the levels`)
  }
})

t.test('a level that acrLevels does not have is refused when the route is added', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { acrLevels: ['silver', 'gold'] })
  for (const acr of ['glod', ['silver', 'glod'], 'Gold', 'toString'] as const) {
    const name = [acr].flat().at(-1)
    t.throws(() => app.get('/wrong', { config: { acr: acr as 'glod' } }, ok), { message: `fastify-keycloak-bearer: GET /wrong: config.acr names "${name}", which acrLevels does not have; its levels are "silver", "gold"` })
  }
  app.get('/age', { config: { maxAge: 300 } }, ok)
})

t.test('of several issuers each has its own levels, and a route may name those of its issuers', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const globex = await realmFor(t, { name: 'globex' })
  const other = await realmFor(t, { name: 'other' })
  const app = Fastify()
  t.teardown(() => app.close())
  const entry = (realm: TestRealm) => ({ issuer: realm.issuer, clientId: 'api', audience: 'api' })
  await app.register(keycloak, { acrLevels: ['silver', 'gold'], issuers: [entry(acme), { ...entry(globex), acrLevels: ['gold', 'silver'] }] })
  app.get('/gold', { config: { acr: 'gold' } }, ok)
  t.throws(() => app.get('/wrong', { config: { acr: 'x' } }, ok), { message: /config\.acr names "x", which acrLevels does not have; its levels are "silver", "gold"/ })
  const [low, high] = ['silver', 'gold'].map((acr) => ({ claims: { acr } }))
  t.equal(await ask(app, '/gold', acme.token(low)), WEAK)
  t.equal(await ask(app, '/gold', acme.token(high)), '200')
  t.equal(await ask(app, '/gold', globex.token(low)), '200', 'silver is the highest there')
  t.equal(await ask(app, '/gold', globex.token(high)), '200')

  const open = Fastify()
  t.teardown(() => open.close())
  await open.register(keycloak, { issuers: [{ ...entry(globex), name: 'ranked', acrLevels: ['low', 'high'] }, entry(other)] })
  open.get('/any', { config: { acr: 'x' } }, ok)
  open.get('/low', { config: { acr: 'low', issuer: 'ranked' } }, ok)
  t.throws(() => open.get('/wrong', { config: { acr: 'x', issuer: 'ranked' } }, ok), { message: /config\.acr names "x", .*"low", "high"/ }, 'the realm that may know it is not admitted')
  t.equal(await ask(open, '/any', other.token({ claims: { acr: 'x' } })), '200')
  t.equal(await ask(open, '/any', globex.token({ claims: { acr: 'high' } })), WEAK, 'a level that its realm does not rank stands for itself alone')
})

t.test('tenants of a function have levels as well, which nobody knows at start', async (t) => {
  const acme = await realmFor(t, { name: 'acme' })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: () => ({ issuer: acme.issuer, clientId: 'api', audience: 'api', acrLevels: ['silver', 'gold'] }) })
  app.get('/silver', { config: { acr: 'silver' } }, ok)
  app.get('/unknown', { config: { acr: 'x' } }, ok)
  const token = acme.token({ claims: { acr: 'gold' } })
  t.equal(await ask(app, '/silver', token), '200')
  t.equal(await ask(app, '/unknown', token), WEAK)
})

t.test('a list that ranks nothing stops the start', async (t) => {
  const WHAT = 'option "acrLevels" must be an array of at least two levels of authentication from low to high, such as [\'silver\', \'gold\'], not'
  const LEVEL = 'must be a level of authentication such as "gold", without spaces, quotes and backslashes, not'
  const cases: Array<[value: unknown, sentence: string]> = [
    ['gold', `${WHAT} a string`], [[], `${WHAT} an empty array`], [['gold'], `${WHAT} an array of one`], [{ gold: 1 }, `${WHAT} an object`], [null, `${WHAT} null: leave it out instead`],
    [['silver', 5], `option "acrLevels.1" ${LEVEL} 5`], [['silver', ''], `option "acrLevels.1" ${LEVEL} an empty string`], [['silver', 'go ld'], `option "acrLevels.1" ${LEVEL} another string`],
    [['silver', 'gold', 'silver'], `${WHAT} one that has "silver" twice`]
  ]
  for (const [acrLevels, sentence] of cases) t.equal(await refusalOf({ issuer, acrLevels }), `fastify-keycloak-bearer: ${sentence}`)
  t.match(await refusalOf({ issuers: [{ issuer, acrLevels: ['gold'] }] }), /^fastify-keycloak-bearer: option "issuers\[0\]\.acrLevels" must be an array of at least two levels/)
  t.match(await refusalOf({ issuer, acrlevels: ['a', 'b'] }), /option "acrlevels" is unknown; write "acrLevels"/)
})
