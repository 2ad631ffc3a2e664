// Forged DPoP proofs: how many one core turns away in a second, the processor time of each, and honest requests beside them. For each
// kind, honest requests alone, the forged ones alone and both together take turns.
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from 'node:http'
import { percentile, type Answer } from './api.js'
import { measure, startServer, type Measured, type Server } from './contenders.js'
import { medianOf, table, whole } from './figures.js'
import { fileOf, type BoundClient } from './proofs.js'
import type { Realm, Requests } from './realm.js'
import { untilAtRest } from './rounds.js'

/** The figures of one kind of forged proofs, over all rounds. */
export interface ForgedFigures {
  alone: Answer[]
  beside: Answer[]
  flood: Measured[]
  floodBeside: Measured[]
}

/** Honest requests a second. */
const PACE = 200

const WARM_UP_SECONDS = 10

/** @param thief a client with another key and the token of the honest one */
export async function measureForgedProofs (realm: Realm, client: BoundClient, thief: BoundClient, { rounds, seconds }: { rounds: number, seconds: number }): Promise<Record<string, ForgedFigures>> {
  const server = await startServer({ name: 'DPoP', module: 'ours', mode: 'dpop', tokens: 1 }, realm)
  const kinds = kindsOf(client, thief)
  const figures = Object.fromEntries(Object.keys(kinds).map((kind): [string, ForgedFigures] => [kind, { alone: [], beside: [], flood: [], floodBeside: [] }]))
  try {
    await honest(server, client, WARM_UP_SECONDS)
    for (let round = 0; round < rounds; round++) {
      for (const [kind, make] of Object.entries(kinds)) await measureKind(figures[kind]!, server, client, seconds, async () => fileOf(realm, 'forged-proofs', await make(server)))
      console.log(`round ${round + 1} of ${rounds}: honest p99 ${Object.entries(figures).map(([kind, { alone, beside }]) => `${kind} ${percentile(beside, 0.99).toFixed(1)} ms (alone ${percentile(alone, 0.99).toFixed(1)})`).join('; ')}`)
    }
  } finally {
    await server.end()
  }
  return figures
}

export function forgedProofsTable (figures: Readonly<Record<string, ForgedFigures>>): string {
  const head = ['forged proofs', 'turned away a second', 'CPU µs each', 'beside honest: a second', 'honest p50 ms alone', 'beside', 'honest p99 ms alone', 'beside']
  return table(head, Object.entries(figures).map(([kind, { alone, beside, flood, floodBeside }]) => [
    kind, whole(medianOf(flood.map(({ rate }) => rate))), (1e6 / medianOf(flood.map(({ perCpu }) => perCpu))).toFixed(0), whole(medianOf(floodBeside.map(({ rate }) => rate))),
    ...[0.5, 0.99].flatMap((share) => [alone, beside].map((answers) => percentile(answers, share).toFixed(1)))
  ]))
}

async function measureKind (figures: ForgedFigures, server: Server, client: BoundClient, seconds: number, requests: () => Promise<Requests>): Promise<void> {
  figures.alone.push(...await honest(server, client, seconds))
  figures.flood.push(await measure(server, await requests(), seconds, true))
  await untilAtRest(server)
  const forged = await requests()
  const [beside, flood] = await Promise.all([honest(server, client, seconds), measure(server, forged, seconds, true)])
  figures.beside.push(...beside)
  figures.floodBeside.push(flood)
  await untilAtRest(server)
}

/** The requests of each kind, of which the last one is a proof that has passed. */
function kindsOf (client: BoundClient, thief: BoundClient): Record<string, (server: Server) => Promise<string[]>> {
  const now = (): number => Math.floor(Date.now() / 1000)
  return {
    'no proof': async () => client.requests([undefined]),
    'no JWS': async () => client.requests(['x.y.z']),
    'by the key of a thief': async () => client.requests(await thief.proofs(1)),
    'for another URL': async () => client.requests(await client.proofs(1, { claims: { htu: 'https://another.example/profile' } })),
    'an hour old': async () => client.requests(await client.proofs(1, { claims: { iat: now() - 3600 } })),
    'a bad signature': async () => client.requests((await client.proofs(100)).map(withBadSignature)),
    'used before': async ({ port }) => {
      const proofs = await client.proofs(1)
      await client.ask(port, proofs[0])
      return client.requests(proofs)
    }
  }
}

function withBadSignature (proof: string): string {
  const at = proof.lastIndexOf('.') + 10
  return `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`
}

/**
 * Honest requests at a steady pace, whether or not they are answered.
 * @throws {Error} if one of them is refused
 */
async function honest ({ port }: Server, client: BoundClient, seconds: number): Promise<Answer[]> {
  const proofs = await client.proofs(seconds * PACE)
  const agent = new Agent({ keepAlive: true })
  const pending: Array<Promise<Answer>> = []
  const start = performance.now()
  for (const [at, proof] of proofs.entries()) {
    const due = start + at * 1000 / PACE
    while (performance.now() < due) await sleep(1)
    pending.push(client.ask(port, proof, agent))
  }
  const answers = await Promise.all(pending)
  agent.destroy()
  const refused = answers.filter(({ status }) => status !== 200).length
  if (refused > 0) throw new Error(`${refused} honest requests were not answered 200`)
  return answers
}
