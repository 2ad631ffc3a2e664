// Requests per second with DPoP proofs, beside requests with a kept Bearer token and beside a route that checks the signature of the
// proof only. All of them are measured second by second in turn.
import { X509Certificate } from 'node:crypto'
import { Agent } from 'node:http'
import { CLIENTS } from '../test/support/client-certificates.js'
import { measure, startServer, type Contender, type Measured, type Server } from './contenders.js'
import { medianOf, percent, range, ratios, spreadOf, table, whole } from './figures.js'
import { fileOf, type BoundClient } from './proofs.js'
import { requestsOf, requestWith, tokenOf, type Realm, type Requests } from './realm.js'
import { inTurn, untilAtRest, type Runner } from './rounds.js'

/** One kind of requests at one server. */
interface Lane extends Contender {
  /** Requests for one second, so many at the most. */
  requests: (server: Server, count: number) => Promise<Requests>
  /**
   * @returns requests per second, a first estimate
   * @throws {Error} if the server does not check the proofs
   */
  check: (server: Server) => Promise<number>
}

/** The samples of each lane, second by second. */
export type LaneSamples = Readonly<Record<string, readonly Measured[]>>

export interface DpopPlan {
  rounds: number
  seconds: number
  /** The names of the lanes; by default all. */
  only?: readonly string[]
}

/** The lanes that all are compared with. */
export const BEARER = 'Bearer, a kept token'
export const SIGNATURE = 'only the signature of the proof'

/** The lane of DPoP with the default options. */
export const IN_MEMORY = 'DPoP, proofs kept in memory'

/** Proofs for the next second, by the best rate so far. */
const enough = (rate: number): number => Math.ceil(2 * rate + 4000)

/** A server is warm after so many requests, and is measured after so many seconds even if they took longer. */
const WARM_UP = { requests: 6000, seconds: 5 }

/** @param redis the port of a Redis; `undefined` if no lane needs one */
export async function measureDpopLoad (realm: Realm, client: BoundClient, redis: number | undefined, { rounds, seconds, only }: DpopPlan): Promise<LaneSamples> {
  const ofClient = { ...realm, publicJwk: await client.publicJwk() }
  const lanes = (await lanesOf(realm, client, redis)).filter(({ name }) => only === undefined || only.includes(name))
  const samples = Object.fromEntries(lanes.map(({ name }): [string, Measured[]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const runners: Runner[] = []
    try {
      for (const lane of lanes) runners.push(await startLane(lane, lane.module === 'ours' ? realm : ofClient))
      for (const [at, measured] of (await inTurn(seconds, runners)).entries()) samples[lanes[at]!.name]!.push(...measured)
    } finally {
      for (const { end } of runners) await end()
    }
    console.log(`round ${round + 1} of ${rounds}: ${lanes.map(({ name }) => `${name} ${whole(medianOf(samples[name]!.slice(-seconds).map(({ rate }) => rate)))}`).join('; ')}`)
  }
  return samples
}

/** The figures of each lane, and its ratios to the same seconds of the two bases. */
export function dpopLoadTable (samples: LaneSamples): string {
  const head = ['requests', 'a second', 'min–max', 'p50 ms', 'p99 ms', 'core busy', 'per CPU s', 'of Bearer', 'by CPU', 'min–max', 'of the signature', 'by CPU', 'min–max']
  return table(head, Object.entries(samples).map(([name, own]) => {
    const median = (key: keyof Measured) => medianOf(own.map((each) => each[key]))
    const rates = spreadOf(own.map(({ rate }) => rate))
    return [
      name, whole(rates.median), range(rates, whole), two(median('p50') / 1000), two(median('p99') / 1000), percent(median('busy')), whole(median('perCpu')),
      ...[BEARER, SIGNATURE].flatMap((base) => base === name ? ['', '', ''] : ratioCells(own, samples[base]!))
    ]
  }))
}

function ratioCells (own: readonly Measured[], base: readonly Measured[]): string[] {
  const by = (key: 'rate' | 'perCpu') => spreadOf(ratios(own.map((each) => each[key]), base.map((each) => each[key])))
  return [two(by('rate').median), two(by('perCpu').median), range(by('perCpu'), two)]
}

async function lanesOf (realm: Realm, client: BoundClient, redis: number | undefined): Promise<Lane[]> {
  const proven = (name: string, more: Pick<Contender, 'module' | 'mode' | 'redis'>): Lane => ({
    name,
    tokens: 1,
    ...more,
    requests: async ({ port }, count) => {
      const { nonce } = await client.ask(port, (await client.proofs(1))[0])
      return fileOf(realm, 'proofs', client.requests(await client.proofs(count, { nonce })))
    },
    check: async (server) => {
      if (more.module === 'ours') await checkProofs(server, client)
      return await firstRate(server, client)
    }
  })
  const bearer = await requestsOf(realm, 1)
  const kept = (name: string, mode: string, requests: Requests): Lane => ({ name, module: 'ours', mode, tokens: 1, requests: async () => requests, check: async () => 0 })
  return [
    kept(BEARER, 'default', bearer),
    proven(SIGNATURE, { module: 'verify-proof' }),
    proven(IN_MEMORY, { module: 'ours', mode: 'dpop' }),
    proven('DPoP, in memory, with a nonce', { module: 'ours', mode: 'dpop, nonce' }),
    proven('DPoP, proofs kept in Redis', { module: 'ours', mode: 'dpop, Redis', redis }),
    kept('Bearer, with the option dpop', 'dpop', bearer),
    kept('Bearer, a certificate in a header', 'mtls', await certified(realm))
  ]
}

/** A request with a token that is bound to a certificate, which a proxy hands on (RFC 9440). */
async function certified (realm: Realm): Promise<Requests> {
  const { raw, fingerprint256 } = new X509Certificate(CLIENTS.a.cert)
  const thumbprint = Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
  const token = await tokenOf(realm, 0, { cnf: { 'x5t#S256': thumbprint } })
  return fileOf(realm, 'certified', [requestWith(`Bearer ${token}`, { 'Client-Cert': `:${raw.toString('base64')}:` })])
}

async function checkProofs (server: Server, client: BoundClient): Promise<void> {
  const { nonce } = await client.ask(server.port, (await client.proofs(1))[0])
  const [proof] = await client.proofs(1, { nonce })
  const statuses = []
  for (const each of [proof, proof, undefined]) statuses.push((await client.ask(server.port, each)).status)
  if (String(statuses) !== '200,401,401') throw server.failure(`answered a proof, the same again and none ${statuses}, not 200,401,401`)
}

/** Requests per second of a client that is slower than the load. */
async function firstRate ({ port }: Server, client: BoundClient): Promise<number> {
  const { nonce } = await client.ask(port, (await client.proofs(1))[0])
  const proofs = await client.proofs(300, { nonce })
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const started = performance.now()
  await Promise.all(proofs.map((proof) => client.ask(port, proof, agent)))
  agent.destroy()
  return proofs.length / (performance.now() - started) * 1000
}

/** Starts a server, checks it and warms it up. */
async function startLane (lane: Lane, realm: Realm): Promise<Runner> {
  const server = await startServer(lane, realm)
  let best = 0
  const second = async (): Promise<Measured> => {
    const measured = await measure(server, await lane.requests(server, enough(best)), 1)
    best = Math.max(best, measured.rate)
    await untilAtRest(server)
    return measured
  }
  try {
    best = await lane.check(server)
    let answered = 0
    for (let times = 0; times < WARM_UP.seconds && answered < WARM_UP.requests; times++) answered += (await second()).rate
  } catch (error) {
    await server.end()
    throw error
  }
  return { second, end: server.end }
}

const two = (value: number): string => value.toFixed(2)
