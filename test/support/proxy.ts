import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** An HTTP proxy that ends with the test; `passed` counts what went through it, tunnels and plain requests. */
export async function proxyFor (t: Test): Promise<{ url: string, passed: () => number }> {
  let passed = 0
  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    passed++
    const { url, method, headers } = incoming
    incoming.pipe(request(url!, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    }))
  })
  server.on('connect', ({ url }: IncomingMessage, client) => {
    passed++
    const [host, port] = url!.split(':')
    const there = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(there).pipe(client)
    })
    for (const socket of [client, there]) socket.on('error', () => { client.destroy(); there.destroy() })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, passed: () => passed }
}
