// The tracing channels fastify-keycloak-bearer:keys and :upstream: the calls to Keycloak.
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, realmFor, until } from '../support/app.js'
import { tracesOn } from '../support/events.js'

const SUCCESS = ['start', 'end', 'asyncStart', 'asyncEnd']

t.test('a fetch of the keys, and each call to Keycloak, begin and end', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const keys = tracesOn(t, 'fastify-keycloak-bearer:keys')
  const upstream = tracesOn(t, 'fastify-keycloak-bearer:upstream')
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.same(keys.map(([name]) => name), SUCCESS)
  t.same([keys[0]![1], keys[2]![1].count], [{ issuer: 'test' }, 1])
  t.same(upstream.map(([name, { endpoint }]) => [name, endpoint]), [...SUCCESS.map((name) => [name, 'certs']), ...SUCCESS.map((name) => [name, 'token/introspect'])])
  t.same(upstream[0]![1], { issuer: 'test', endpoint: 'certs', method: 'GET', url: `${realm.issuer}/protocol/openid-connect/certs` })
  t.match(upstream.at(-1)![1], { method: 'POST', statusCode: 200, error: undefined })
  t.notMatch(JSON.stringify([keys, upstream]), new RegExp(`${token}|test-secret|active`))
})

t.test('the check at start calls Keycloak, too', async (t) => {
  const realm = await realmFor(t)
  const upstream = tracesOn(t, 'fastify-keycloak-bearer:upstream')
  const app = await apiFor(t, realm, { startCheck: 'warn' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => upstream.some(([name, { endpoint }]) => name === 'asyncEnd' && endpoint === 'openid-configuration'))
  t.pass()
})

t.test('a failure is an error with its reason', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const app = await apiFor(t, realm)
  const keys = tracesOn(t, 'fastify-keycloak-bearer:keys')
  const upstream = tracesOn(t, 'fastify-keycloak-bearer:upstream')
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable')
  for (const traces of [keys, upstream]) {
    t.same(traces.slice(0, 5).map(([name]) => name), ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    t.match(traces[2]![1].error, { code: 'keycloak_unavailable', reasonCode: 'connection_refused' })
  }
})

t.test('a call is made in the context of the request that it is for, and in none when it is made by itself', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const requests = new AsyncLocalStorage<string>()
  app.addHook('onRequest', ({ id }, _reply, done) => requests.run(id, done))
  await app.register(keycloak, { ...realm.options, jwks: { maxAge: 1001 } })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  const contexts: unknown[] = []
  const listener = (): void => { contexts.push(requests.getStore()) }
  const { start } = tracingChannel('fastify-keycloak-bearer:keys')
  start.subscribe(listener)
  t.teardown(() => { start.unsubscribe(listener) })
  t.equal(await ask(app, '/me', realm.token()), '200')
  await until(() => contexts.length > 1)
  t.same(contexts.slice(0, 2), ['req-1', undefined])
})
