import { connect, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A client over a real socket that can go away. */
export async function client (app: FastifyInstance, token: string): Promise<{ leave: () => void, answer: Promise<string> }> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const answer = (async () => {
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text.slice(9, 12)
  })()
  answer.catch(() => {})
  return { leave: () => { socket.destroy() }, answer }
}
