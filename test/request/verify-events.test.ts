// The events of decisions that a handler asks for: verify(), hasPermission, isAllowed and hasAuthentication.
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError } from '../../index.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { decisions } from '../support/events.js'

t.test('verify() is a decision without a route', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true })
  const { authentication, authorization } = decisions(t)
  const token = realm.token()
  for (let times = 0; times < 3; times++) await app.keycloak.verify(token)
  t.match(authentication.splice(0), [false, false, true].map((cached) => ({ outcome: 'accepted', source: 'verify', code: null, reason: null, issuer: 'test', scheme: 'Bearer', cached, route: null })))
  await t.rejects(app.keycloak.verify(realm.token({ expired: true })), { code: 'token_expired' })
  await t.rejects(app.keycloak.verify(7 as never), { code: 'token_not_valid' })
  const client = realm.dpop()
  const bound = realm.token({ dpop: client })
  await app.keycloak.verify(bound, { proof: await client.proof({ url: 'http://localhost/x', token: bound }), method: 'GET', url: 'http://localhost/x' })
  await t.rejects(app.keycloak.verify(bound, { proof: 'x' }), TypeError)
  t.match(authentication.map(({ outcome, code, reason, scheme }) => [outcome, code, reason, scheme]), [
    ['refused', 'token_expired', 'exp_passed', 'Bearer'], ['refused', 'token_not_valid', 'token_not_string', 'Bearer'], ['accepted', null, null, 'DPoP'], ['failed', null, null, 'DPoP']
  ])
  t.same(authorization, [])
})

t.test('verify() of several issuers names the one that decided', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: [acme, globex].map(({ options: { issuer, audience, clientId } }) => ({ issuer, audience, clientId })) })
  const { authentication } = decisions(t)
  await app.keycloak.verify(globex.token())
  await t.rejects(app.keycloak.verify(acme.token({ expired: true })))
  await t.rejects(app.keycloak.verify('x'))
  t.same(authentication.map(({ issuer }) => issuer), ['globex', 'acme', null])
})

t.test('a question of a handler is an event, with its rule and the reason of a denial', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/orders/:id', async (request) => {
    const { user } = request
    if (user === null) return [request.hasPermission('a'), await request.isAllowed('a'), request.hasAuthentication({ acr: 'gold' })]
    return [
      request.hasPermission('view-profile'), request.hasPermission({ realmRole: 'admin' }), await request.isAllowed({ any: [async () => true] }),
      await request.isAllowed('other'), request.hasAuthentication({ acr: 'gold' }), request.hasAuthentication({ maxAge: 300 })
    ]
  })
  const { authorization } = decisions(t)
  t.same((await app.inject('/orders/1')).json(), [false, false, false])
  t.same(authorization, [], 'an anonymous caller is asked nothing')
  const response = await realm.inject(app, { url: '/orders/1', as: { roles: ['view-profile'], acr: 'silver', authTime: Math.floor(Date.now() / 1000) } })
  t.same(response.json(), [true, false, true, false, false, true])
  t.match(authorization, [
    ['hasPermission', 'allowed', 'view-profile', null], ['hasPermission', 'denied', 'realm role admin', 'realm_role_missing'], ['isAllowed', 'allowed', 'any of (a function)', null],
    ['isAllowed', 'denied', 'other', 'role_missing'], ['hasAuthentication', 'denied', 'acr gold', 'acr_too_low'], ['hasAuthentication', 'allowed', 'maxAge 300 s', null]
  ].map(([source, outcome, rule, reason]) => ({ source, outcome, rule, code: null, reason, issuer: 'test', sub: String, azp: 'web', route: { method: 'GET', url: '/orders/:id' } })))
})

t.test('a question that has no answer throws as it does without listeners', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/now', async (request) => request.isAllowed(() => { throw new Error('mine') }))
  app.get('/later', async (request) => request.isAllowed(async () => { throw new KeycloakError('keycloak_unavailable', 'theirs') }))
  app.get('/sync', async (request) => request.hasPermission((async () => true) as never))
  app.get('/none', async (request) => request.hasPermission({} as never))
  const { authorization } = decisions(t)
  for (const [url, answer] of [['/now', '500 undefined'], ['/later', '503 keycloak_unavailable'], ['/sync', '500 undefined'], ['/none', '500 undefined']]) t.equal(await ask(app, url!, realm.token()), answer)
  t.match(authorization.map(({ source, outcome, code }) => [source, outcome, code]), [
    ['isAllowed', 'failed', null], ['isAllowed', 'unavailable', 'keycloak_unavailable'], ['thrown', 'unavailable', 'keycloak_unavailable'], ['hasPermission', 'failed', null]
  ], 'no rule was asked at /none, and the refusal that the handler lets through is the answer')
})
