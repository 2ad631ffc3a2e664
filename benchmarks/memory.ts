// The memory of a full cache of 10,000 tokens, over an API with a cache of one token and the same requests; further tokens must add
// nothing.
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { startIssuer, startServer, type Contender, type Server } from './contenders.js'
import { table } from './figures.js'
import { end } from './processes.js'
import { requestsOf, type Realm, type Requests } from './realm.js'
import type { Part } from './report.js'

/** Megabytes after a garbage collection. */
export interface Memory {
  resident: number
  heap: number
}

interface Stages {
  warm: Memory
  full: Memory
  further: Memory
  furtherStill: Memory
}

const FULL = 10_000
const FURTHER = 100_000
const CONNECTIONS = 64
const API: Contender = { name: 'ours', module: 'ours', tokens: 1 }

export async function measureMemory (realm: Realm): Promise<Part> {
  const requests = await requestsOf(realm, FURTHER)
  const issuer = await startIssuer(realm)
  try {
    const full = await stagesOf({ ...API, mode: 'cache of 10,000' }, realm, requests)
    const empty = await stagesOf({ ...API, mode: 'cache of 1' }, realm, requests)
    return {
      text: `Megabytes, after a garbage collection: resident, and of the heap.\n\n${stagesTable(full, empty)}`,
      values: { memory: full.full.resident - empty.full.resident, memoryFurther: full.furtherStill.resident - empty.furtherStill.resident }
    }
  } finally {
    await end(issuer)
  }
}

/** The memory of an API whose cache holds this number of tokens. */
export async function memoryOf (api: Contender, realm: Realm, tokens: number): Promise<Memory> {
  const requests = await requestsOf(realm, FURTHER)
  const server = await startServer({ ...api, mode: 'cache of 10,000' }, realm, ['--expose-gc'])
  try {
    await send(server, requests, tokens, 1)
    await send(server, requests, 2 * tokens, tokens)
    return await usedBy(server)
  } finally {
    await server.end()
  }
}

async function stagesOf (api: Contender, realm: Realm, requests: Requests): Promise<Stages> {
  const server = await startServer(api, realm, ['--expose-gc'])
  try {
    await send(server, requests, FULL, 1)
    const warm = await usedBy(server)
    // Each token twice, in turn, because a half-full cache keeps a token from its second time on.
    await send(server, requests, 2 * FULL, FULL)
    const full = await usedBy(server)
    // When the file begins again, the cache has long dropped its tokens.
    for (let from = FULL; from < FURTHER; from += FULL) await send(server, requests, 2 * FULL, FULL, from)
    const further = await usedBy(server)
    for (let from = 0; from < FURTHER; from += FULL) await send(server, requests, 2 * FULL, FULL, from)
    return { warm, full, further, furtherStill: await usedBy(server) }
  } finally {
    await server.end()
  }
}

function stagesTable (full: Stages, empty: Stages): string {
  const row = (label: string, key: keyof Stages) => [
    label, ...[full[key], empty[key]].flatMap(({ resident, heap }) => [mb(resident), mb(heap)]), mb(full[key].resident - empty[key].resident)
  ]
  return table(['after', 'cache of 10,000: resident', 'heap', 'cache of 1: resident', 'heap', 'resident, over it'], [
    row('10,000 requests with one token', 'warm'),
    row('10,000 tokens', 'full'),
    row('90,000 further tokens', 'further'),
    row('190,000 further tokens', 'furtherStill')
  ])
}

/** Sends `times` requests with `distinct` tokens in turn, from the one at `from`. */
async function send ({ port }: Server, { file, size }: Requests, times: number, distinct: number, from = 0): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, headersTimeout: 30_000 })
  const handle = await open(file)
  let sent = 0
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
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

async function usedBy (server: Server): Promise<Memory> {
  // Closed connections are released in later turns of the event loop.
  await sleep(500)
  await server.usage()
  const { memory } = await server.usage()
  return { resident: memory.rss / 1e6, heap: memory.heapUsed / 1e6 }
}

function mb (value: number): string {
  return value.toFixed(0)
}
