import type { ServerResponse } from 'node:http'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, logging, realmFor } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { backchannel, LOGOUT, logOut, now } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

t.test('after a logout the tokens of that session are refused, those in memory too, and no others', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const tokens = [realm.token(), realm.token()]
  const other = realm.token({ claims: { sid: 'another-session-of-alice' } })
  const bob = realm.token({ username: 'bob' })
  t.equal(await ask(app, '/me', tokens[0]), '200')
  const answer = await logOut(app, realm)
  t.equal(answer.status, 200)
  t.equal(answer.body, null)
  t.equal(answer.headers['cache-control'], 'no-store')
  for (const url of ['/me', '/open']) {
    t.equal(await ask(app, url, tokens[0]), NOT_VALID, 'seen before')
    t.equal(await ask(app, url, tokens[1]), NOT_VALID, 'never seen')
  }
  await t.rejects(app.keycloak.verify(tokens[0]!), { code: 'token_not_valid', reason: 'the session was logged out' })
  t.equal(await ask(app, '/me', other), '200')
  t.equal(await ask(app, '/me', bob), '200')
  t.equal(await ask(app, '/me', realm.token({ claims: { sid: undefined } })), '200', 'no session at all')
  t.equal(await ask(app, '/open'), '200')
})

t.test('a session that has ended has no later tokens, whatever the clock says', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, leeway: 60 })
  t.equal((await logOut(app, realm, { claims: { iat: now() - 30 } })).status, 200)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
})

t.test('without a session the user is logged out: tokens up to the second of the logout are refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now() - 10
  t.equal((await logOut(app, realm, { claims: { sid: undefined, iat: at + 0.4 } })).status, 200)
  for (const [iat, answer] of [[at - 1, NOT_VALID], [at, NOT_VALID], [at + 0.9, NOT_VALID], [at + 1, '200'], [at + 5, '200']] as const) {
    t.equal(await ask(app, '/me', realm.token({ claims: { iat, sid: 'any' } })), answer, `${iat - at} s after the logout`)
  }
  t.equal(await ask(app, '/me', realm.token({ username: 'bob', claims: { iat: at } })), '200')
  t.equal((await logOut(app, realm, { claims: { sid: undefined, iat: at - 5 } })).status, 200, 'an earlier logout that comes later')
  t.equal(await ask(app, '/me', realm.token({ claims: { iat: at } })), NOT_VALID, 'takes nothing back')
})

t.test('with introspection on a logged-out token is refused, without asking Keycloak', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } })
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(app, realm)).status, 200)
  t.equal(await ask(app, '/me', token), NOT_VALID)
  t.equal(realm.requests.introspect, 1)
})

t.test('a lightweight token is checked again once introspection has told whose it is', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, verifyTokensWithKeycloak: true })
  const token = realm.token({ kind: 'lightweight' })
  t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(app, realm, { claims: { sid: undefined } })).status, 200)
  t.equal(await ask(app, '/me', token), NOT_VALID)
  t.equal(realm.requests.introspect, 2, 'the token itself does not name its user')
  const bob = realm.token({ kind: 'lightweight', username: 'bob' })
  t.equal(await ask(app, '/me', bob), '200')
  t.equal((await logOut(app, realm, { username: 'bob' })).status, 200)
  t.equal(await ask(app, '/me', bob), NOT_VALID, 'it names its session')
  t.equal(realm.requests.introspect, 3)
})

t.test('without introspection a token of a session that names no user falls by the logout of any user', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, audience: null, userIdClaim: 'sid' })
  const at = now() - 10
  const nameless = (iat: number, more = {}) => realm.token({ kind: 'lightweight', username: 'bob', claims: { iat, ...more } })
  t.equal((await logOut(app, realm, { claims: { sid: 'another' } })).status, 200)
  t.equal(await ask(app, '/me', nameless(at)), '200', 'the logout of another session')
  t.equal((await logOut(app, realm, { claims: { sid: undefined, iat: at } })).status, 200)
  t.equal((await logOut(app, realm, { username: 'carol', claims: { sid: undefined, iat: at - 5 } })).status, 200)
  t.equal(await ask(app, '/me', nameless(at)), NOT_VALID, 'it may be of who was logged out')
  t.equal(await ask(app, '/me', nameless(at + 1)), '200', 'the next one is newer')
  t.equal(await ask(app, '/me', realm.token({ username: 'bob', claims: { iat: at } })), '200', 'this one says whose it is')
  const service = realm.token({ claims: { iat: at, sub: undefined, sid: undefined } })
  const services = await apiFor(t, realm, LOGOUT)
  t.equal((await logOut(services, realm, { claims: { sid: undefined } })).status, 200)
  t.equal(await ask(services, '/me', service), '200', 'without a session it is of no user')
})

t.test('a logout that comes while a token is being introspected counts', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, verifyTokensWithKeycloak: true })
  const token = realm.token()
  const asked = new Promise<ServerResponse>((resolve) => { realm.respond('introspect', (_request, response) => resolve(response)) })
  const answer = ask(app, '/me', token)
  const response = await asked
  t.equal((await logOut(app, realm)).status, 200)
  response.end(JSON.stringify({ active: true }))
  t.equal(await answer, NOT_VALID)
})

t.test('a token that lives longer than maxTokenLifetime is refused, since nobody would remember its logout', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { maxTokenLifetime: 60 } })
  t.equal(await ask(app, '/me', realm.token({ expiresIn: 60 })), '200')
  t.equal(await ask(app, '/me', realm.token({ expiresIn: 61 })), NOT_VALID)
  await t.rejects(app.keycloak.verify(realm.token({ expiresIn: 61 })), { code: 'token_not_valid', reason: 'the token lives longer than revocation.maxTokenLifetime' })
  const byDefault = await apiFor(t, realm, LOGOUT)
  t.equal(await ask(byDefault, '/me', realm.token({ expiresIn: 86_400 })), '200')
  t.equal(await ask(byDefault, '/me', realm.token({ expiresIn: 86_401 })), NOT_VALID)
  const off = await apiFor(t, realm)
  t.equal(await ask(off, '/me', realm.token({ expiresIn: 86_401 })), '200', 'without revocation nobody minds')
})

t.test('a logout is remembered for as long as a token may live, and no longer', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { maxTokenLifetime: 300 } })
  const [clocks, entries] = [clocksFor(t), () => app.keycloak.health().revocation!.entries]
  t.equal((await logOut(app, realm, { claims: { iat: now() - 200 } })).status, 200)
  t.equal((await logOut(app, realm, { username: 'bob', claims: { sid: undefined } })).status, 200)
  t.equal(entries(), 2)
  clocks.advance(110)
  t.equal(entries(), 1, 'the older one has ended')
  t.equal(await ask(app, '/me', realm.token({ username: 'bob', expiresIn: 100, claims: { iat: now() - 200 } })), NOT_VALID)
  clocks.advance(200)
  t.equal(entries(), 0)
  t.equal((await logOut(app, realm, { claims: { iat: now() - 300 } })).status, 200, 'one that is over already')
  t.equal(entries(), 0)
})

t.test('a full memory makes its oldest entries a not-before for everybody', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { max: 2 } }, log)
  const at = now() - 100
  const gone = (user: string, more = {}) => logOut(app, realm, { username: user, claims: { iat: at, ...more } })
  const token = (user: string, iat: number) => realm.token({ username: user, claims: { iat } })
  await gone('anne')
  await gone('bert', { sid: undefined, iat: at + 20 })
  t.equal(await ask(app, '/me', token('dora', at)), '200')
  t.notMatch(log.text, 'revocation.max')
  await gone('carl', { iat: at + 40 })
  t.match(app.keycloak.health().revocation, { entries: 2, notBefore: at + 1 })
  t.match(log.text, 'revocation.max sessions and users are remembered')
  t.equal(await ask(app, '/me', token('anne', at)), NOT_VALID, 'nobody is forgotten')
  t.equal(await ask(app, '/me', token('bert', at + 20)), NOT_VALID)
  t.equal(await ask(app, '/me', token('carl', at + 40)), NOT_VALID)
  t.equal(await ask(app, '/me', token('dora', at)), NOT_VALID, 'whoever has a token as old pays for it')
  t.equal(await ask(app, '/me', token('dora', at + 1)), '200')
  await gone('emil', { iat: at + 60 })
  t.match(app.keycloak.health().revocation, { entries: 2, notBefore: at + 21 })
  await gone('carl', { iat: at + 70 })
  t.match(app.keycloak.health().revocation, { entries: 2, notBefore: at + 21 }, 'who is known already takes no more room')
  await gone('finn', { iat: at + 80, sid: undefined })
  await gone('gerd', { iat: at + 90, sid: undefined })
  t.match(app.keycloak.health().revocation, { entries: 2, notBefore: at + 71 })
})

t.test('health tells what is remembered, and null where nobody asked for it', async (t) => {
  const realm = await realmFor(t)
  t.equal((await apiFor(t, realm)).keycloak.health().revocation, null)
  const app = await apiFor(t, realm, LOGOUT)
  t.same(app.keycloak.health().revocation, { ok: true, entries: 0, notBefore: 0, lag: null })
  await logOut(app, realm)
  t.same(app.keycloak.health().revocation, { ok: true, entries: 1, notBefore: 0, lag: null })
  t.same((await apiFor(t, realm, { revocation: {} })).keycloak.health().revocation, { ok: true, entries: 0, notBefore: 0, lag: null })
})

t.test('the routes are guarded by nothing but the signature of what they take, and are in no document', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {}, transform: keycloak.openapi() })
  await app.register(keycloak, { ...realm.options, ...LOGOUT, requireAuthentication: true })
  app.get('/me', async () => 'me')
  t.match(app.keycloak.routes().filter(({ access }) => access === 'open'), [
    { method: 'POST', url: '/backchannel-logout' },
    { method: 'POST', url: '/keycloak/k_push_not_before' },
    { method: 'POST', url: '/keycloak/k_logout' }
  ])
  t.equal((await logOut(app, realm)).status, 200)
  t.same(Object.keys(app.swagger().paths!), ['/me'])
})

t.test('several clients may log out, and their sessions come to one place', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { backchannelLogout: { path: '/backchannel-logout', clients: ['web', 'mobile'] } })
  for (const aud of ['web', 'mobile', ['other', 'mobile']]) t.equal((await logOut(app, realm, { claims: { aud } })).status, 200)
  t.equal((await logOut(app, realm, { claims: { aud: ['other'] } })).status, 400)
  const one = await apiFor(t, realm, { backchannelLogout: { path: '/backchannel-logout', clients: 'mobile' } })
  t.equal((await logOut(one, realm, { claims: { aud: 'mobile' } })).status, 200)
  t.equal((await logOut(one, realm)).status, 400)
})

t.test('an unverified API still believes no logout that Keycloak did not sign', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, verifySignature: false })
  t.equal((await logOut(app, realm, { forged: true })).status, 400)
  t.equal((await backchannel(app, realm.token({ kind: 'logout' }))).status, 200)
  t.equal(await ask(app, '/me', realm.token({ forged: true })), NOT_VALID)
})
