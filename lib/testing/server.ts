import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'

/** The endpoints of the realm, by which requests are counted and faults are made. */
export type Endpoint = 'certs' | 'introspect' | 'discovery' | 'token' | 'protection' | 'other'

/**
 * Answers a request; its body has been read. `next` lets the realm answer, for example later, or if the request is one that shall
 * not fail.
 */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string, next: () => void) => void

/** The realm's own answer. */
type OwnHandler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A request as it arrived. */
export interface RecordedRequest {
  /** `GET` or `POST`. */
  method: string
  /** Has the path and the query. */
  url: string
  /** Has names in lower case. */
  headers: IncomingHttpHeaders
  /** Empty if the request had no body. */
  body: string
}

const ENDPOINTS: readonly Endpoint[] = ['certs', 'introspect', 'discovery', 'token', 'protection', 'other']

const PATHS: Readonly<Record<string, [Endpoint, method?: string]>> = {
  '/.well-known/openid-configuration': ['discovery', 'GET'],
  '/.well-known/oauth-authorization-server': ['discovery', 'GET'],
  '/protocol/openid-connect/certs': ['certs', 'GET'],
  '/protocol/openid-connect/token/introspect': ['introspect', 'POST'],
  // A login answers OPTIONS, too.
  '/protocol/openid-connect/token': ['token'],
  '/authz/protection/resource_set': ['protection']
}

const HOST = '127.0.0.1'
const MAX_BODY = 64 * 1024

/** A server that counts its requests and fails on demand. It never keeps the process alive. */
export class RealmServer {
  readonly #path: string
  readonly #handlers: Readonly<Record<Endpoint, OwnHandler>>
  readonly #overrides = new Map<Endpoint, Handler>()
  readonly #counts = { certs: 0, introspect: 0, discovery: 0, token: 0, protection: 0, other: 0 }
  readonly #last = new Map<Endpoint, RecordedRequest>()
  readonly #unanswered = new Set<ServerResponse>()
  #port: number
  #server: Server | null = null

  constructor (path: string, port: number, handlers: Readonly<Record<Endpoint, OwnHandler>>) {
    this.#path = path
    this.#port = port
    this.#handlers = handlers
  }

  get url (): string {
    return `http://${HOST}:${this.#port}${this.#path}`
  }

  get counts (): Readonly<Record<Endpoint, number>> {
    return { ...this.#counts }
  }

  last (endpoint: Endpoint): RecordedRequest | undefined {
    return this.#last.get(endpoint)
  }

  /** Listens on the same port as before, without overrides, and closes the connections of requests that still wait. */
  async start (): Promise<void> {
    this.#overrides.clear()
    for (const response of this.#unanswered) response.destroy()
    if (this.#server === null) await this.#listen()
    await noticed()
  }

  async stop (): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
    await noticed()
  }

  /** Lets `handler` answer one endpoint or all endpoints; `null` restores the realm's own answer. */
  override (endpoint: Endpoint | undefined, handler: Handler | null): void {
    for (const each of endpoint === undefined ? ENDPOINTS : [endpoint]) {
      if (handler === null) this.#overrides.delete(each)
      else this.#overrides.set(each, handler)
    }
  }

  async #listen (): Promise<void> {
    const server = createServer((request, response) => this.#receive(request, response))
    server.on('connection', socket => socket.unref())
    // An idle connection must not be closed in the moment in which the client uses it again.
    server.keepAliveTimeout = 0
    server.listen(this.#port, HOST).unref()
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  #receive (request: IncomingMessage, response: ServerResponse): void {
    this.#unanswered.add(response)
    response.on('close', () => this.#unanswered.delete(response))
    let body = ''
    request.setEncoding('utf8')
    // A body that is too long is read to its end, because a client that still writes would not read the answer.
    request.on('data', (chunk: string) => { if (body.length <= MAX_BODY) body += chunk })
    request.on('end', () => this.#answer(request, response, body))
  }

  #answer (request: IncomingMessage, response: ServerResponse, body: string): void {
    const { method = '', url = '', headers } = request
    const [endpoint, allowed] = this.#route(url)
    this.#counts[endpoint]++
    this.#last.set(endpoint, { method, url, headers, body })
    const answer = (): void => {
      // Nobody waits for the answer to a request that up() or the client has ended.
      if (!response.destroyed) this.#answerNormally(endpoint, allowed, request, response, body)
    }
    const override = this.#overrides.get(endpoint)
    if (override === undefined) answer()
    else override(request, response, body, answer)
  }

  #answerNormally (endpoint: Endpoint, allowed: string | undefined, request: IncomingMessage, response: ServerResponse, body: string): void {
    if (body.length > MAX_BODY) return json(response, 413, { error: 'HTTP 413 Request Entity Too Large' })
    if (allowed !== undefined && request.method !== allowed) return json(response, 405, { error: 'HTTP 405 Method Not Allowed' })
    this.#handlers[endpoint](request, response, body)
  }

  #route (url: string): [Endpoint, method?: string] {
    const [path] = url.split('?')
    // The well-known path of RFC 8414 section 3.1 stands before the realm's; the others of Keycloak's stand behind it.
    if (path === `/.well-known/oauth-authorization-server${this.#path}`) return ['discovery', 'GET']
    return (path.startsWith(this.#path) && PATHS[path.slice(this.#path.length)]) || ['other']
  }
}

// A reference from before the test, so that fake timers of the test do not replace it.
const turn = promisify(setImmediate)

/**
 * Resolves when clients in this process have noticed that a connection is closed, and do not reuse it. A client notices it
 * when it reads from the connection: undici within two turns of the event loop.
 */
async function noticed (): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await turn()
}

export function json (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
