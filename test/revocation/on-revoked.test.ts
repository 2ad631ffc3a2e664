// What connections that stay open will need: to be told of a logout, instead of asking at each request.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { EndpointHealth } from '../../lib/diagnostics/endpoint-health.js'
import { KeycloakClient } from '../../lib/keycloak/client.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { KeySource } from '../../lib/keys/key-source.js'
import { Revocations } from '../../lib/revocation/revocations.js'
import type { Revocation } from '../../types/revocation.js'
import { realmFor } from '../support/app.js'
import { action, LOGOUT, logOut, now, push, silentStore } from '../support/logout.js'
import { settingsFor } from '../support/settings.js'

/** The revocation of a realm alone, with its routes and a store of the test's own. */
async function revocationFor (t: Test) {
  const realm = await realmFor(t)
  const silent = silentStore()
  const { realm: settings, logout, plugin } = settingsFor({ ...realm.options, ...LOGOUT, revocation: { store: silent.store } })
  const closing = new Closing()
  const client = new KeycloakClient(settings, closing)
  const app = Fastify()
  const keys = new KeySource({ ...settings.jwks, maxBytes: plugin.limits.keySetBytes, isRefused: () => false }, settings.baseUrl, client, new EndpointHealth('certs', app.log))
  const revocations = new Revocations({ ...logout!, several: false, needRealm: undefined, closing, log: app.log })
  const revocation = revocations.of(settings, keys)
  t.teardown(async () => {
    await app.close()
    keys.close()
    await client.close()
  })
  await revocations.start(app)
  await revocation.start()
  return { realm, app, revocation, follower: silent.follower }
}

t.test('a listener is told of each logout that Keycloak pushes and that another instance took, until it goes', async (t) => {
  const { realm, app, revocation, follower } = await revocationFor(t)
  const told: Revocation[] = []
  const refused: boolean[] = []
  const end = revocation.onRevoked((each) => {
    told.push(each)
    try {
      revocation.check({ iss: realm.issuer, iat: now() - 1, exp: now() + 60, sid: each.id, sub: each.id } as never)
      refused.push(false)
    } catch {
      refused.push(true)
    }
  })
  t.equal((await logOut(app, realm, { claims: { sid: 'pushed' } })).status, 200)
  t.equal((await push(app, realm.sign(action('LOGOUT', { keycloakSessionIds: ['one', 'two'] })), 'k_logout')).status, 200)
  follower.receive({ kind: 'user', id: 'elsewhere', at: now() })
  t.match(told, [
    { kind: 'session', id: 'pushed' }, { kind: 'session', id: 'one' }, { kind: 'session', id: 'two' }, { kind: 'user', id: 'elsewhere' }
  ])
  t.same(refused, [true, true, true, true], 'the tokens are refused already when it is told')
  t.equal((await logOut(app, realm, { forged: true })).status, 400)
  follower.receive('nonsense')
  t.equal(told.length, 4, 'nobody is told of what was refused')
  end()
  t.equal((await logOut(app, realm)).status, 200)
  follower.receive({ kind: 'user', id: 'later', at: now() })
  t.equal(told.length, 4)
})
