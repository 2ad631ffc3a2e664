// What a full cache of 10,000 tokens takes, over an API whose cache holds a single token and that got the same requests;
// and that further tokens add nothing.
import { open } from 'node:fs/promises'
import { Pool } from 'undici'
import { startIssuer, startServer, type Server } from './contender.js'
import type { Part } from './part.js'
import { end } from './processes.js'
import { type Realm, requestsOf, type Requests } from './realm.js'
import { table } from './tables.js'

const FULL = 10_000
const FURTHER = 100_000
const APIS = { full: 'cache of 10,000', empty: 'cache of 1' }

/** Megabytes. */
interface Memory {
  resident: number
  heap: number
}

interface Course {
  warm: Memory
  full: Memory
  further: Memory
  furtherStill: Memory
}

export async function measureMemory (realm: Realm): Promise<Part> {
  const requests = await requestsOf(realm, FURTHER)
  const issuer = await startIssuer(realm)
  const courses = {} as Record<keyof typeof APIS, Course>
  try {
    for (const [name, mode] of Object.entries(APIS)) courses[name as keyof typeof APIS] = await follow(mode, realm, requests)
  } finally {
    await end(issuer)
  }
  const { full, empty } = courses
  const row = (label: string, key: keyof Course) => [label, ...[full[key], empty[key]].flatMap(({ resident, heap }) => [mb(resident), mb(heap)]), mb(full[key].resident - empty[key].resident)]
  const text = [
    'Megabytes, after a garbage collection: resident, and of the heap.',
    table(['after', 'cache of 10,000: resident', 'heap', 'cache of 1: resident', 'heap', 'resident, over it'], [
      row('10,000 requests with one token', 'warm'),
      row('10,000 tokens', 'full'),
      row('90,000 further tokens', 'further'),
      row('190,000 further tokens', 'furtherStill')
    ])
  ].join('\n\n')
  return { text, values: { memory: full.full.resident - empty.full.resident, memoryFurther: full.furtherStill.resident - empty.furtherStill.resident } }
}

async function follow (mode: string, realm: Realm, requests: Requests): Promise<Course> {
  const server = await startServer({ name: `ours, ${mode}`, module: 'ours', mode, tokens: 1 }, realm, ['--expose-gc'])
  try {
    await send(server, requests, FULL, 1)
    const warm = await memoryOf(server)
    // Each twice, in turn: a token is kept when it comes again.
    await send(server, requests, 2 * FULL, FULL)
    const full = await memoryOf(server)
    // Those at the end of the file were dropped long ago when it begins again.
    for (let from = FULL; from < FURTHER; from += FULL) await send(server, requests, 2 * FULL, FULL, from)
    const further = await memoryOf(server)
    for (let from = 0; from < FURTHER; from += FULL) await send(server, requests, 2 * FULL, FULL, from)
    return { warm, full, further, furtherStill: await memoryOf(server) }
  } finally {
    await server.end()
  }
}

/** Each request once, or the first `distinct` of them in turn. */
async function send ({ port }: Server, { file, size }: Requests, times: number, distinct = times, from = 0): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64, headersTimeout: 30_000 })
  const handle = await open(file)
  let sent = 0
  try {
    await Promise.all(Array.from({ length: 64 }, async () => {
      while (sent < times) {
        const at = from + sent++ % distinct
        const { buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, at * size)
        const [, authorization] = /^authorization: (.*)$/im.exec(buffer.toString('latin1'))!
        const { statusCode, body } = await pool.request({ path: '/profile', method: 'GET', headers: { authorization: authorization!.trim() } })
        await body.dump()
        if (statusCode !== 200) throw new Error(`a good token was answered ${statusCode}`)
      }
    }))
  } finally {
    await handle.close()
    await pool.destroy()
  }
}

async function memoryOf (server: Server): Promise<Memory> {
  // What connections leave behind goes in the turns after they closed.
  await new Promise((resolve) => { setTimeout(resolve, 500) })
  await server.usage()
  const { memory } = await server.usage()
  return { resident: memory.rss / 1e6, heap: memory.heapUsed / 1e6 }
}

function mb (value: number): string {
  return value.toFixed(0)
}
