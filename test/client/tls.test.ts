import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import type { KeycloakOptions } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { CERTIFICATE, KEY } from '../support/certificate.js'

/** The realm's endpoints behind TLS, as Keycloak has them in production. */
async function behindTls (t: Test, realm: TestRealm): Promise<string> {
  const server = createServer({ cert: CERTIFICATE, key: KEY }, async (request, response) => {
    const { port, pathname } = new URL(realm.issuer)
    const answer = await fetch(`http://127.0.0.1:${port}${request.url ?? pathname}`)
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/realms/test`
}

t.test('the certificate of Keycloak is checked, against an authority of one\'s own if need be', async (t) => {
  const realm = await realmFor(t)
  const serverUrl = await behindTls(t, realm)
  const answer = async (options: Partial<KeycloakOptions>) => ask(await apiFor(t, realm, { serverUrl, ...options }), '/open', realm.token())
  const strange = await apiFor(t, realm, { serverUrl })
  t.equal(await ask(strange, '/open', realm.token()), '503 keycloak_unavailable', 'nobody vouches for it')
  t.match(strange.keycloak.health().keys.reason, /SELF_SIGNED|UNABLE_TO_VERIFY/)
  t.equal(await answer({ ca: CERTIFICATE }), '200')
  t.equal(await answer({ ca: [Buffer.from(CERTIFICATE)] }), '200')
  t.equal(await answer({ verifyCertificate: false }), '200')
  t.equal(await answer({ serverUrl: serverUrl.replace('127.0.0.1', 'localhost'), ca: CERTIFICATE }), '503 keycloak_unavailable', 'it is another host\'s')
})

t.test('a dispatcher brings its own authority', async (t) => {
  const realm = await realmFor(t)
  const serverUrl = await behindTls(t, realm)
  const dispatcher = new Agent({ connect: { ca: CERTIFICATE } })
  t.teardown(() => dispatcher.close())
  t.equal(await ask(await apiFor(t, realm, { serverUrl, dispatcher }), '/open', realm.token()), '200')
})
