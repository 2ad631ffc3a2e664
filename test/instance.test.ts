import t from 'tap'
import { apiFor, realmFor } from './support/app.js'

t.test('fastify.keycloak.verify serves other transports: the claims, or one of the errors', async (t) => {
  const realm = await realmFor(t)
  let synced = 0
  const app = await apiFor(t, realm, { syncUser: () => { synced++; return {} } })
  t.match(await app.keycloak.verify(realm.token({ sub: 's' })), { sub: 's', iss: realm.issuer })
  await t.rejects(app.keycloak.verify('x'), { code: 'token_not_valid', statusCode: 401, name: 'KeycloakError' })
  await t.rejects(app.keycloak.verify(realm.token({ expired: true })), { code: 'token_expired' })
  await t.rejects(app.keycloak.verify(undefined as never), { code: 'token_not_valid' }, 'a token that is none, from JavaScript')
  await realm.down()
  await t.rejects(app.keycloak.verify(realm.token({ kid: 'new' })), { code: 'keycloak_unavailable', statusCode: 503 })
  t.equal(synced, 0, 'users are synced by requests alone')
})

t.test('fastify.keycloak.verify introspects where that is on', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const token = realm.token()
  t.match(await app.keycloak.verify(token), { preferred_username: 'alice' })
  realm.revoke(token)
  await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid' })
})

t.test('fastify.keycloak.health tells how the calls to Keycloak do', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  t.same(app.keycloak.health(), {
    ok: true,
    keys: { ok: true, lastSuccess: null, lastFailure: null, reason: null, age: null, stale: true, count: 0 },
    introspection: { ok: true, lastSuccess: null, lastFailure: null, reason: null, breaker: 'closed', pending: 0 }
  })
  await app.keycloak.verify(realm.token())
  const iso = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
  t.match(app.keycloak.health(), {
    ok: true,
    keys: { ok: true, lastSuccess: iso, lastFailure: null, age: Number, stale: false, count: 1 },
    introspection: { ok: true, lastSuccess: iso }
  })
  realm.error(500, 'introspect')
  await app.keycloak.verify(realm.token()).catch(() => {})
  t.match(app.keycloak.health(), { ok: false, introspection: { ok: false, lastFailure: iso, reason: 'status 500 instead of 200' } })
})

t.test('the API closes at once with calls to Keycloak in flight', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  realm.hang('certs')
  const pending = app.keycloak.verify(realm.token())
  pending.catch(() => {})
  await new Promise((resolve) => { setTimeout(resolve, 50) })
  const started = performance.now()
  await app.close()
  await t.rejects(pending, { code: 'keycloak_unavailable' })
  t.ok(performance.now() - started < 4000, 'well before the deadline of the call')
})
