// Dispatchers of undici 7 and 8 carry the calls to Keycloak, those of undici 6 stop the start. undici 8 needs Node 22.19.
import { equal, match } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'

const realm = await createTestRealm()
const { origin, pathname } = new URL(realm.issuer)
const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
const proxy = await openProxy()

for (const version of process.argv.slice(2)) {
  const undici = await import(`undici-${version}`)
  for (const [name, dispatcher] of Object.entries(dispatchersOf(undici.default ?? undici))) {
    if (version === '6') await refuses(dispatcher)
    else await carries(`${name} of undici ${version}`, dispatcher)
    await dispatcher.close()
  }
}
equal(proxy.passed > 0, true)
proxy.close()
await realm.close()

/** One dispatcher of each kind. */
function dispatchersOf ({ Agent, Pool, BalancedPool, Client, ProxyAgent, EnvHttpProxyAgent, RetryAgent, MockAgent, interceptors }) {
  const mock = new MockAgent()
  mock.disableNetConnect()
  mock.get(origin).intercept({ path: `${pathname}/protocol/openid-connect/certs` }).reply(200, keys).persist()
  mock.get(origin).intercept({ path: `${pathname}/protocol/openid-connect/token/introspect`, method: 'POST' }).reply(200, { active: true }).persist()
  const uri = `http://127.0.0.1:${proxy.port}`
  return {
    Agent: new Agent(),
    Pool: new Pool(origin),
    BalancedPool: new BalancedPool(origin),
    Client: new Client(origin),
    ProxyAgent: new ProxyAgent(uri),
    EnvHttpProxyAgent: new EnvHttpProxyAgent({ httpProxy: uri, noProxy: '' }),
    RetryAgent: new RetryAgent(new Agent()),
    MockAgent: mock,
    composed: new Agent().compose(interceptors.redirect({ maxRedirections: 1 })),
    'composed twice': new Agent().compose(interceptors.retry()).compose(interceptors.dns())
  }
}

async function carries (name, dispatcher) {
  const app = Fastify()
  await app.register(keycloak, { ...realm.options, verifyTokensWithKeycloak: true, dispatcher })
  app.get('/', { config: { authenticated: true } }, async () => 'hello')
  const token = realm.token()
  const mocked = dispatcher.assertNoPendingInterceptors !== undefined
  equal((await realm.inject(app, { as: token, url: '/' })).statusCode, 200, name)
  realm.revoke(token)
  equal((await realm.inject(app, { as: token, url: '/' })).statusCode, mocked ? 200 : 401, name)
  realm.error(500, 'introspect')
  equal((await realm.inject(app, { as: {}, url: '/' })).statusCode, mocked ? 200 : 503, name)
  realm.respond('introspect', null)
  equal((await realm.inject(app, { as: {}, url: '/' })).statusCode, 200, name)
  await app.close()
}

async function refuses (dispatcher) {
  const app = Fastify()
  await app.register(keycloak, { ...realm.options, dispatcher }).then(
    () => { throw new Error('it was not refused') },
    ({ message }) => match(message, /"dispatcher" must be a dispatcher of undici 7 or 8, .* not one of undici 6 or older$/))
}

/** A proxy for tunnels, the default of undici 7, and for plain requests, the default of undici 8. */
async function openProxy () {
  const server = createServer((incoming, response) => {
    opened.passed++
    const { url, method, headers } = incoming
    incoming.pipe(request(url, { method, headers }, (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers))))
  })
  const opened = { passed: 0, port: 0, close: () => server.close() }
  server.on('connect', ({ url }, client) => {
    opened.passed++
    const [host, port] = url.split(':')
    const there = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(there).pipe(client)
    })
    for (const socket of [client, there]) socket.on('error', () => { client.destroy(); there.destroy() })
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  opened.port = server.address().port
  return opened
}
