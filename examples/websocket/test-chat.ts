// What the tests share: the chat on a realm of its own, and clients on real sockets.
import type { KeycloakOptions } from 'fastify-keycloak-bearer'
import { createTestRealm, type TestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import WebSocket, { type ClientOptions } from 'ws'
import { buildApp, type ChatOptions } from './app.js'

export async function start (t: TestContext, chat: ChatOptions = {}, options: Partial<KeycloakOptions> = {}) {
  const realm = await createTestRealm()
  const app = await buildApp({ ...realm.options, ...options }, chat)
  const clients = new Set<WebSocket>()
  t.after(async () => {
    for (const client of clients) client.terminate()
    await app.close()
    await realm.close()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/chat`

  /** Connect as a user with the role `chat`, or with a token of your own. */
  async function join (who: TokenSpec | string = {}): Promise<Client> {
    const client = dial({ headers: { authorization: `Bearer ${typeof who === 'string' ? who : tokenFor(realm, who)}` } })
    await once(client.socket, 'open')
    return client
  }
  function dial (options: ClientOptions = {}, protocols: string[] = []): Client {
    const client = new Client(new WebSocket(url, protocols, options))
    clients.add(client.socket)
    return client
  }
  return { realm, app, url, join, dial, tokenFor: (who: TokenSpec = {}) => tokenFor(realm, who) }
}

function tokenFor (realm: TestRealm, who: TokenSpec): string {
  return realm.token({ roles: ['chat'], ...who })
}

/** Notes all that comes, from the first moment on. */
export class Client {
  readonly socket: WebSocket
  /** Code and reason of the end. */
  readonly closed: Promise<[code: number, reason: string]>
  /** Status, body and headers of a refused handshake. */
  readonly refused: Promise<{ status: number, body: any, headers: Record<string, unknown> }>
  readonly #messages: AsyncIterator<any>

  constructor (socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => { socket.once('close', (code, reason) => resolve([code, String(reason)])) })
    this.refused = new Promise((resolve) => {
      socket.once('unexpected-response', async (_request, response) => {
        const chunks = await response.toArray()
        resolve({ status: response.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString()), headers: response.headers })
        socket.terminate()
      })
    })
    socket.on('error', () => {})
    const messages: any[] = []
    let wake = (): void => {}
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)))
      wake()
    })
    this.#messages = (async function * () {
      for (;;) {
        while (messages.length > 0) yield messages.shift()
        await new Promise<void>((resolve) => { wake = resolve })
      }
    })()
  }

  say (text: string): void {
    this.socket.send(text)
  }

  /** The next message. */
  async hears (): Promise<any> {
    return (await this.#messages.next()).value
  }
}

/** Keycloak's call when a user signs out. */
export async function logOut ({ app, realm }: Pick<Awaited<ReturnType<typeof start>>, 'app' | 'realm'>, username: string): Promise<number> {
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/backchannel-logout',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ logout_token: realm.token({ username, kind: 'logout' }) }).toString()
  })
  return statusCode
}

/** Until it holds; the test's own time limit ends a wait that is in vain. */
export async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await pause(10)
}

export async function pause (milliseconds: number): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve, milliseconds) })
}
