// Keycloak, or what stands before it, closes a connection that was kept alive just as the next call is written on it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, Pool } from 'undici'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor, until, wait } from '../support/app.js'

const ON = { verifyTokensWithKeycloak: true }
const UNAVAILABLE = '503 keycloak_unavailable'

/** A Keycloak in front of whose realm connections become stale: it cuts them when they are used again. */
async function flaky (t: Test, realm: TestRealm) {
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  const open = new Set<Socket>()
  const stale = new Set<Socket>()
  const held: Array<() => void> = []
  const state = { hold: 0, cut: 0 }
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (stale.has(request.socket)) {
        state.cut++
        return request.socket.destroy()
      }
      held.push(() => response.end(request.method === 'GET' ? keys : '{"active":true}'))
      if (held.length >= state.hold) for (const answer of held.splice(0)) answer()
      return undefined
    })
  })
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    serverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/test`,
    state,
    /** So many connections, idle and stale. */
    async warm (app: FastifyInstance, users: string[]) {
      state.hold = users.length
      t.same(await Promise.all(users.map((token) => ask(app, '/me', token))), users.map(() => '200'))
      state.hold = 0
      // Until undici takes them for idle.
      await wait(20)
      t.ok(open.size >= users.length)
      for (const socket of open) stale.add(socket)
      state.cut = 0
    }
  }
}

/** One token for each of so many users. */
function tokens (realm: TestRealm, count: number): string[] {
  return Array.from({ length: count }, (_, at) => realm.token({ username: `user-${at}` }))
}

for (const connections of [1, 2, 5, 32]) {
  t.test(`${connections} stale connections, for one call or for several at once: nobody is refused`, async (t) => {
    const realm = await realmFor(t)
    const keycloak = await flaky(t, realm)
    const app = await apiFor(t, realm, { ...ON, serverUrl: keycloak.serverUrl })
    t.equal(await ask(app, '/open', realm.token()), '200')
    for (const calls of [1, connections, connections + 1]) {
      await keycloak.warm(app, tokens(realm, connections))
      t.same(await Promise.all(tokens(realm, calls).map((token) => ask(app, '/me', token))), Array(calls).fill('200'))
      t.ok(keycloak.state.cut > 0)
      t.match(app.keycloak.health().introspection, { ok: true, breaker: 'closed' })
    }
  })
}

t.test('the same holds for dispatchers of one\'s own', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await flaky(t, realm)
  for (const dispatcher of [new Agent(), new Agent({ connections: 5 }), new Pool(new URL(keycloak.serverUrl).origin, { connections: 40 })]) {
    t.teardown(() => dispatcher.close())
    const app = await apiFor(t, realm, { ...ON, serverUrl: keycloak.serverUrl, dispatcher })
    t.equal(await ask(app, '/open', realm.token()), '200')
    await keycloak.warm(app, tokens(realm, 5))
    t.same(await Promise.all(tokens(realm, 5).map((token) => ask(app, '/me', token))), Array(5).fill('200'))
    t.ok(keycloak.state.cut > 0)
  }
})

t.test('a call that is cut twice is made once more, and keys are asked for so as well', async (t) => {
  const realm = await realmFor(t)
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  for (const endpoint of ['introspect', 'certs'] as const) {
    const app = await apiFor(t, realm, ON)
    const sockets: Socket[] = []
    realm.respond(endpoint, (request, response) => {
      if (sockets.push(request.socket) <= 2) request.socket.destroy()
      else response.end(endpoint === 'certs' ? keys : '{"active":true}')
    })
    t.equal(await ask(app, '/me', realm.token()), '200', endpoint)
    t.equal(new Set(sockets).size, 3)
    const [,, last] = sockets
    if (!last!.destroyed) await once(last!, 'close')
    t.ok(last!.destroyed, 'the new connection is for that call alone')
    realm.respond(endpoint, null)
  }
})

t.test('a Keycloak that cuts every connection is away after three', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  let asked = 0
  realm.respond('introspect', (request) => {
    asked++
    request.socket.destroy()
  })
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.equal(asked, 3)
  t.match(app.keycloak.health().introspection, { ok: false })
})

t.test('a call that nobody waits for any more, or whose time is over, is not made again', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 300 } })
  const sockets: Socket[] = []
  realm.respond('introspect', ({ socket }) => {
    sockets.push(socket)
    setTimeout(() => socket.destroy(), 200)
  })
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.ok(sockets.length <= 2)
  await until(() => sockets.every(({ destroyed }) => destroyed))
  // A call that was made again would arrive before this one.
  realm.respond('introspect', null)
  t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), '200')
  t.ok(sockets.length <= 2)
  t.equal(realm.requests.introspect, sockets.length + 1)
})
