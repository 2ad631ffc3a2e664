// Tokens for other services of several realms.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { bearer, realmFor } from '../support/app.js'
import { claimsOf, tokenEndpointOf } from '../support/token-endpoint.js'

t.test('each realm gives its own tokens, by name and by URL', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const [acmes, globexes] = [tokenEndpointOf(acme), tokenEndpointOf(globex)]
  const app = Fastify()
  t.teardown(() => app.close())
  const entries = [acme, globex].map(({ options: { issuer, clientId, clientSecret, audience } }) => ({ issuer, clientId, clientSecret, audience }))
  await app.register(keycloak, { startCheck: false, issuers: entries })
  app.get('/exchanged', { config: { authenticated: true } }, async (request) => app.keycloak.exchange(request, { audience: 'orders' }))
  await t.rejects(app.keycloak.serviceToken(), { name: 'TypeError', message: /needs the issuer with several issuers/ })
  t.equal(claimsOf(await app.keycloak.serviceToken({ issuer: 'acme' })).iss, acme.issuer)
  t.equal(claimsOf(await app.keycloak.serviceToken({ issuer: globex.issuer })).iss, globex.issuer)
  await t.rejects(app.keycloak.serviceToken({ issuer: 'other' }), { name: 'TypeError', message: /its name, or its URL as in iss/ })
  for (const realm of [acme, globex]) {
    const { payload } = await app.inject({ url: '/exchanged', headers: bearer(realm.token()) })
    t.equal(claimsOf(payload).iss, realm.issuer)
  }
  t.same([acmes.calls.length, globexes.calls.length], [2, 2])
  acmes.refuse(500, 'unknown_error')
  await t.rejects(app.keycloak.serviceToken({ issuer: 'acme', scope: 'orders' }), { code: 'keycloak_unavailable' })
  t.match(app.keycloak.health(), { ok: true, issuers: { acme: { ok: true, outbound: { ok: false } }, globex: { outbound: { ok: true } } } })
})

t.test('a list of one issuer needs no name', async (t) => {
  const realm = await realmFor(t)
  tokenEndpointOf(realm)
  const app = Fastify()
  t.teardown(() => app.close())
  const { startCheck, issuer, ...options } = realm.options
  await app.register(keycloak, { ...options, startCheck: false, issuers: [{ issuer }], selectIssuer: () => null })
  t.equal(claimsOf(await app.keycloak.serviceToken()).iss, realm.issuer)
})

t.test('of tenants, a URL opens the realm, a name finds an open one, and its tokens fall with it', async (t) => {
  const realm = await realmFor(t, { name: 'acme' })
  const { calls } = tokenEndpointOf(realm)
  const app = Fastify()
  t.teardown(() => app.close())
  const { issuer, clientId, clientSecret, audience } = realm.options
  let broken = false
  await app.register(keycloak, {
    startCheck: false,
    issuers: async (iss: string) => {
      if (broken) throw new Error('no database')
      return iss === issuer ? { issuer, clientId, clientSecret, audience } : null
    }
  })
  await t.rejects(app.keycloak.serviceToken(), { message: /needs the issuer with several issuers/ })
  await t.rejects(app.keycloak.serviceToken({ issuer: 'acme' }), { message: /its name, or its URL as in iss/ })
  const first = await app.keycloak.serviceToken({ issuer })
  t.equal(await app.keycloak.serviceToken({ issuer: 'acme' }), first)
  await t.rejects(app.keycloak.serviceToken(), { message: /needs the issuer/ }, 'another tenant may come')
  app.keycloak.forgetIssuer(issuer)
  t.not(await app.keycloak.serviceToken({ issuer }), first)
  t.equal(calls.length, 2)
  app.keycloak.forgetIssuer(issuer)
  broken = true
  await t.rejects(app.keycloak.serviceToken({ issuer }), { code: 'keycloak_unavailable' })
})

t.test('a caller whose realm was withdrawn meanwhile gets no more tokens', async (t) => {
  const realm = await realmFor(t, { name: 'acme' })
  const { calls } = tokenEndpointOf(realm)
  const app = Fastify()
  t.teardown(() => app.close())
  const { issuer, clientId, clientSecret, audience } = realm.options
  await app.register(keycloak, { startCheck: false, issuers: () => ({ issuer, clientId, clientSecret, audience }) })
  app.get('/exchanged', { config: { authenticated: true } }, async (request) => {
    await app.keycloak.exchange(request, { audience: 'orders' })
    app.keycloak.forgetIssuer(issuer)
    return app.keycloak.exchange(request, { audience: 'orders' })
  })
  t.match((await app.inject({ url: '/exchanged', headers: bearer(realm.token()) })).json(), { code: 'token_not_valid' })
  t.equal(calls.length, 1)
})
