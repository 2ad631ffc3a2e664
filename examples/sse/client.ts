/** An event of a stream: its name, `message` by default, and its data. */
export interface ServerEvent {
  event: string
  data: string
}

/**
 * Reads server-sent events with an Authorization header, which the browser's EventSource cannot send, and comes back with a new token
 * when the old one has ended. It runs in browsers as well.
 * @param token gives a token that is valid now; if it rejects, nobody is logged in any more, and the stream ends
 */
export async function * subscribe (url: string, token: () => Promise<string>, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
  for (;;) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${await token()}` }, signal })
    if (!response.ok) throw new Error(`${response.status}`)
    for await (const each of eventsOf(response.body!)) {
      if (each.event !== 'end') yield each
    }
  }
}

async function * eventsOf (body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (buffer + decoder.decode(value, { stream: true })).split('\n\n')
    buffer = blocks.pop()!
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s))
      const data = fields.filter(([name]) => name === 'data').map(([, text]) => text).join('\n')
      const event = fields.find(([name]) => name === 'event')?.[1] ?? 'message'
      if (data !== '') yield { event, data }
    }
  }
}
