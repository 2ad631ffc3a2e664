import type { WebSocket } from '@fastify/websocket'

/** Bytes that may wait for a client that reads slower than others write. */
const MAX_BUFFERED = 1024 * 1024

/** Those who are connected. */
export class Room {
  readonly #sockets = new Set<WebSocket>()

  get size (): number {
    return this.#sockets.size
  }

  join (socket: WebSocket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  tell (message: object): void {
    const text = JSON.stringify(message)
    for (const socket of this.#sockets) send(socket, text)
  }
}

/** Who does not keep up is dropped: without a word, since it would wait behind all the others. They may come back. */
export function send (socket: WebSocket, text: string): void {
  if (socket.bufferedAmount > MAX_BUFFERED) socket.terminate()
  else if (socket.readyState === socket.OPEN) socket.send(text)
}
