// npm run bench:crowd: the effect of one user with very many open requests on the other users, with introspection for each request.
// The API runs in a process of its own; Keycloak answers every call after a quarter of a second, however many there are.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestRealm } from '../lib/testing/index.js'
import { Api, percentile } from './api.js'
import { table, whole } from './figures.js'

const SECONDS = 6
const KEYCLOAK_MILLISECONDS = 250
const OTHER_USERS = 26
/** Requests of the other users. */
const PER_SECOND = 52

/** The open requests of the one user, and the number of its tokens. */
const CASES = [[0, 1], [700, 1], [1000, 1], [1000, 50], [1000, 1000]] as const

const realm = await createTestRealm({ tokenLifespan: 3600 })
realm.respond('introspect', (_request, response) => { setTimeout(() => response.end('{"active":true}'), KEYCLOAK_MILLISECONDS) })
const others = tokensOf(OTHER_USERS, (at) => `user-${at}`)

const rows = []
for (const [open, count] of CASES) rows.push(await measure(open, tokensOf(count, () => 'greedy')))
console.log(table(['open requests', 'tokens', 'honest requests', 'of them 200', 'p50 ms', 'p99 ms', 'calls a second', 'breaker', 'health ok'], rows))
await realm.close()
process.exit()

async function measure (open: number, greedy: readonly string[]): Promise<string[]> {
  const api = await Api.start({ ...realm.options, verifyTokensWithKeycloak: true })
  await api.pace(others, others.length / PER_SECOND, PER_SECOND)
  const before = realm.requests.introspect
  const sockets = Array.from({ length: open }, (_, at) => keepOpen(api.url, greedy[at % greedy.length]!))
  await sleep(100)
  const answers = await api.pace(others, SECONDS, PER_SECOND)
  const { health: { introspection } } = await api.usage()
  const calls = (realm.requests.introspect - before) / SECONDS
  for (const socket of sockets) socket.destroy()
  api.end()
  const good = answers.filter(({ status }) => status === 200).length
  return [
    whole(open), whole(greedy.length), whole(answers.length), whole(good), whole(percentile(answers, 0.5)), whole(percentile(answers, 0.99)),
    whole(calls), introspection!.breaker, String(introspection!.ok)
  ]
}

function tokensOf (count: number, username: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => realm.token({ username: username(at), roles: ['read-profile'] }))
}

/** A request that is sent again when it is answered; over a plain socket, because the load must take less of the machine than the API. */
function keepOpen (url: string, token: string): Socket {
  const { hostname, port } = new URL(url)
  const request = Buffer.from(`GET /profile HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const socket = connect(Number(port), hostname, () => socket.write(request))
  socket.on('data', (answer) => {
    if (answer.toString('latin1', 0, 12) === 'HTTP/1.1 200') socket.write(request)
    else setTimeout(() => socket.write(request), 100)
  })
  return socket.on('error', () => {})
}
