/** How long to wait before the next try, in milliseconds: doubled up to the most. */
const RETRY = { first: 500, most: 10_000 }

/**
 * A connection that comes back: with a fresh token when the old one has ended (4401), after a while when the server was
 * away or could not ask Keycloak, and not at all where it may not (4403).
 * @param {object} options
 * @param {string} options.url `wss://…/chat`
 * @param {() => Promise<string>} options.token a token that is good now; with keycloak-js: `await keycloak.updateToken(30)`,
 * then `keycloak.token`. When it rejects nobody is logged in any more, and the connection stays closed.
 * @param {(message: any) => void} options.onMessage
 * @param {(state: string) => void} [options.onState] what happened, in words
 * @param {typeof globalThis.WebSocket} [options.WebSocket]
 */
export function connect ({ url, token, onMessage, onState = () => {}, WebSocket = globalThis.WebSocket }) {
  /** @type {globalThis.WebSocket | undefined} */
  let socket
  let delay = RETRY.first
  let over = false
  /** @type {any} */
  let timer
  open()

  return {
    /** @param {string} text */
    send: (text) => socket?.send(text),
    close () {
      over = true
      clearTimeout(timer)
      socket?.close()
    }
  }

  async function open () {
    let fresh
    try {
      fresh = await token()
    } catch {
      return onState('logged out')
    }
    if (over) return
    socket = new WebSocket(url, ['chat.v1', `bearer.${fresh}`])
    socket.onopen = () => {
      delay = RETRY.first
      onState('connected')
    }
    socket.onmessage = ({ data }) => onMessage(JSON.parse(String(data)))
    // A refused handshake is 1006 in a browser, which does not tell its status: tried again later.
    socket.onclose = ({ code, reason }) => {
      onState(`closed: ${code} ${reason}`)
      if (over || code === 4403) return
      timer = setTimeout(open, code === 4401 ? 0 : delay)
      if (code !== 4401) delay = Math.min(delay * 2, RETRY.most)
    }
  }
}
