import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'

/** The places of the numbers that both threads see. */
const RECEIVED = 0
const ANSWERED = 1
const MAY_ANSWER = 2

/** Runs as CommonJS in a thread of its own: answers each POST, and every GET with the key set, but only when it is told to. */
const SERVER = `
const { parentPort, workerData: { keys, numbers } } = require('node:worker_threads')
const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => {
    Atomics.add(numbers, ${RECEIVED}, 1)
    const answer = () => {
      if (Atomics.load(numbers, ${MAY_ANSWER}) === 0) return setTimeout(answer, 1)
      response.end(request.method === 'GET' ? keys : '{"active":true}', () => {
        Atomics.add(numbers, ${ANSWERED}, 1)
        Atomics.notify(numbers, ${ANSWERED})
      })
    }
    answer()
  })
})
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

/** A Keycloak whose event loop is not that of the test. */
export interface Elsewhere {
  serverUrl: string
  received: () => number
  /** Answers what it has and what comes, or holds it back. */
  answers: (may: boolean) => void
  /** Lets the event loop stand still: until so many calls are answered, and then for so many milliseconds. */
  stall: (answered: number, milliseconds: number) => Promise<void>
}

/** The realm's keys and an introspection that calls everything active, from a thread of their own. */
export async function elsewhere (t: Test, realm: TestRealm): Promise<Elsewhere> {
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  const numbers = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(SERVER, { eval: true, workerData: { keys, numbers } })
  t.teardown(async () => { await worker.terminate() })
  const port = await new Promise((resolve) => { worker.once('message', resolve) })
  const answers = (may: boolean): void => { Atomics.store(numbers, MAY_ANSWER, may ? 1 : 0) }
  answers(true)
  return {
    serverUrl: `http://127.0.0.1:${port}/realms/test`,
    received: () => Atomics.load(numbers, RECEIVED),
    answers,
    async stall (answered, milliseconds) {
      // From behind the look at the sockets, so that the timers are next.
      await new Promise((resolve) => { setImmediate(resolve) })
      for (;;) {
        const now = Atomics.load(numbers, ANSWERED)
        if (now >= answered) break
        Atomics.wait(numbers, ANSWERED, now)
      }
      const end = performance.now() + milliseconds
      while (performance.now() < end);
    }
  }
}

/** Runs as CommonJS in a thread of its own: writes the first part of a request, and the rest when it is told to. */
const CLIENT = `
const { parentPort, workerData: { port, parts, numbers } } = require('node:worker_threads')
const socket = require('node:net').connect(port, '127.0.0.1')
let answer = ''
socket.on('data', (data) => { answer += data }).on('close', () => parentPort.postMessage(answer))
socket.write(parts[0])
const rest = () => {
  if (Atomics.load(numbers, ${MAY_ANSWER}) === 0) return setTimeout(rest, 1)
  socket.write(parts[1], () => {
    Atomics.store(numbers, ${ANSWERED}, 1)
    Atomics.notify(numbers, ${ANSWERED})
  })
}
rest()
`

/** A request by a thread of its own, in two parts: the second is written while the event loop stands still, for so many milliseconds. */
export async function writtenInAStall (t: Test, port: number, parts: [string, string], begun: () => Promise<void>, milliseconds: number): Promise<string> {
  const numbers = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(CLIENT, { eval: true, workerData: { port, parts, numbers } })
  t.teardown(async () => { await worker.terminate() })
  const answer = new Promise<string>((resolve) => { worker.once('message', resolve) })
  await begun()
  await new Promise((resolve) => { setImmediate(resolve) })
  const end = performance.now() + milliseconds
  Atomics.store(numbers, MAY_ANSWER, 1)
  Atomics.wait(numbers, ANSWERED, 0)
  while (performance.now() < end);
  return answer
}
