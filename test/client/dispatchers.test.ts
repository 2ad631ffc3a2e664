// The calls to Keycloak over a dispatcher of the user's. Those of undici 8, which needs another Node than 20, are in
// scripts/package-check/dispatchers.
import t, { type Test } from 'tap'
import { Agent, BalancedPool, Client, Dispatcher, EnvHttpProxyAgent, interceptors, MockAgent, Pool, ProxyAgent, RetryAgent } from 'undici'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor, refusalOf } from '../support/app.js'
import { proxyFor } from '../support/proxy.js'

const ON = { verifyTokensWithKeycloak: true }

/** Keys and an introspection over this dispatcher, an inactive token, and a Keycloak that fails. */
async function carries (t: Test, realm: TestRealm, name: string, dispatcher: Dispatcher): Promise<void> {
  const app = await apiFor(t, realm, { ...ON, dispatcher })
  const token = realm.token({ roles: ['view-profile'] })
  t.equal(await ask(app, '/profile', token), '200', name)
  realm.revoke(token)
  t.equal(await ask(app, '/profile', token), '401 token_not_valid', name)
  realm.respond('introspect', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end('{"active":true}') })
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable', `${name}: an encoded answer`)
  realm.respond('introspect', (_request, response) => { response.end(`{"active":true,"x":"${'x'.repeat(200_000)}"}`) })
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable', `${name}: a long answer`)
  realm.respond('introspect', null)
  t.equal(await ask(app, '/me', realm.token()), '200', name)
  await app.close()
  await dispatcher.close()
}

t.test('every dispatcher of undici 7 carries keys and introspection', async (t) => {
  const realm = await realmFor(t)
  const { origin } = new URL(realm.issuer)
  const dispatchers: Record<string, Dispatcher> = {
    Agent: new Agent(),
    Pool: new Pool(origin),
    BalancedPool: new BalancedPool(origin),
    Client: new Client(origin),
    RetryAgent: new RetryAgent(new Agent()),
    'a composed one': new Agent().compose(interceptors.dns(), interceptors.redirect({ maxRedirections: 1 })),
    'one composed twice': new Pool(origin).compose(interceptors.deduplicate()).compose(interceptors.cache())
  }
  for (const [name, dispatcher] of Object.entries(dispatchers)) await carries(t, realm, name, dispatcher)
})

t.test('proxies are gone through', async (t) => {
  const realm = await realmFor(t)
  const proxy = await proxyFor(t)
  const dispatchers: Record<string, Dispatcher> = {
    ProxyAgent: new ProxyAgent(proxy.url),
    'ProxyAgent without a tunnel': new ProxyAgent({ uri: proxy.url, proxyTunnel: false }),
    EnvHttpProxyAgent: new EnvHttpProxyAgent({ httpProxy: proxy.url, noProxy: '' })
  }
  for (const [name, dispatcher] of Object.entries(dispatchers)) {
    const before = proxy.passed()
    await carries(t, realm, name, dispatcher)
    t.ok(proxy.passed() > before, name)
  }
})

t.test('a mock of undici stands for Keycloak', async (t) => {
  const realm = await realmFor(t)
  const { origin, pathname } = new URL(realm.issuer)
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  await realm.down()
  const dispatcher = new MockAgent()
  dispatcher.disableNetConnect()
  dispatcher.enableCallHistory()
  dispatcher.get(origin).intercept({ path: `${pathname}/protocol/openid-connect/certs` }).reply(200, keys)
  dispatcher.get(origin).intercept({ path: `${pathname}/protocol/openid-connect/token/introspect`, method: 'POST' }).reply(200, { active: true })
  t.equal(await ask(await apiFor(t, realm, { ...ON, dispatcher }), '/me', realm.token()), '200')
  t.equal(dispatcher.getCallHistory()?.calls().length, 2, 'and the start asked nothing of it')
  await dispatcher.close()
})

/** What undici 6 and older make of a handler and of `compose`, as their sources say it. */
class Outdated {
  dispatch (_options: unknown, handler: { onError?: unknown }): void {
    if (typeof handler.onError !== 'function') throw new TypeError('invalid onError method')
  }

  request (): void {}

  compose (): Outdated {
    return new ComposedOutdated()
  }
}
class ComposedOutdated extends Outdated {}

t.test('a dispatcher that calls a handler by the methods of undici 6 stops the start', async (t) => {
  const sentence = 'fastify-keycloak-bearer: option "dispatcher" must be a dispatcher of undici 7 or 8, such as new ProxyAgent(url), not one of undici 6 or older'
  const good = { issuer: 'https://sso.example.com/realms/acme', startCheck: false }
  for (const dispatcher of [new Outdated(), new ComposedOutdated()]) t.equal(await refusalOf({ ...good, dispatcher }), sentence)
  const dispatcher = { dispatch () {}, request () {}, compose () { return dispatcher } }
  t.equal(await refusalOf({ ...good, dispatcher }), 'started', 'one of no undici is the user\'s own business')
})
