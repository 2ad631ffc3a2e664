// The services behind the gateway, for `npm start` and the tests.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { WebSocketServer } from 'ws'
import type { ForwardedCaller } from './headers.js'

export interface SeenRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
}

export interface Service {
  origin: string
  /** The requests that the gateway let through, upgrades among them. */
  seen: SeenRequest[]
  /** The lengths of the messages that came by WebSocket. */
  received: number[]
  close (): Promise<void>
}

/** The caller that the gateway names. Who can reach this service directly can name anybody, so only the gateway may reach it. */
export function callerOf ({ 'x-caller': header }: IncomingHttpHeaders): ForwardedCaller | null {
  return header === undefined ? null : JSON.parse(String(Buffer.from(String(header), 'base64url')))
}

/** A service that answers who calls. Its path decides how: `/unauthorized` 401, `/busy` 503, `/events` a stream without an end; `/refused` refuses a WebSocket. */
export async function startService (): Promise<Service> {
  const seen: SeenRequest[] = []
  const received: number[] = []
  const server = createServer((request, response) => {
    seen.push({ method: request.method!, url: request.url!, headers: request.headers })
    if (request.url!.endsWith('/unauthorized')) response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"', 'content-encoding': 'none' })
    if (request.url!.endsWith('/busy')) response.writeHead(503, { 'retry-after': '1' })
    if (request.url!.endsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: tick\n\n')
      return
    }
    text(request).then((body) => response.end(JSON.stringify({ path: request.url, caller: callerOf(request.headers), body })), () => response.destroy())
  })
  const sockets = new WebSocketServer({ server, verifyClient: ({ req }: { req: IncomingMessage }) => !req.url!.endsWith('/refused') })
  sockets.on('connection', (socket, request) => {
    seen.push({ method: 'UPGRADE', url: request.url!, headers: request.headers })
    socket.on('message', (text: Buffer) => {
      received.push(text.length)
      socket.send(`${callerOf(request.headers)?.username}: ${text}`)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, received, close: () => close(server, sockets) }
}

async function close (server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  server.closeAllConnections()
  await new Promise((resolve) => { server.close(resolve) })
}
