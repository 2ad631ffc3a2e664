// Replays of DPoP proofs at several instances at once: each proof has to pass once, at one of them.
import { Agent } from 'node:http'
import type { BoundClient } from './proofs.js'

export interface Replays {
  proofs: number
  /** Requests with these proofs. */
  tries: number
  /** Answers of 200. */
  passed: number
  /** Those of them that were not the first of their proof. */
  passedAgain: number
  /** Answers that are neither 200 nor 401. */
  others: number
}

/** Proofs that are in flight at once. */
const AT_ONCE = 5

/**
 * Sends each proof to all instances at the same time.
 * @param tries of each proof at each instance
 */
export async function parallelReplays (client: BoundClient, ports: readonly number[], proofs: number, tries: number): Promise<Replays> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const replays = { proofs, tries: 0, passed: 0, passedAgain: 0, others: 0 }
  for (let at = 0; at < proofs; at += AT_ONCE) {
    const together = await client.proofs(Math.min(AT_ONCE, proofs - at))
    await Promise.all(together.map(async (proof) => {
      const answers = Array.from({ length: tries }, () => ports.map((port) => client.ask(port, proof, agent))).flat()
      const statuses = (await Promise.all(answers)).map(({ status }) => status)
      const passed = statuses.filter((status) => status === 200).length
      replays.tries += statuses.length
      replays.passed += passed
      replays.passedAgain += Math.max(0, passed - 1)
      replays.others += statuses.filter((status) => status !== 200 && status !== 401).length
    }))
  }
  agent.destroy()
  return replays
}

export function replaysLine ({ proofs, tries, passed, passedAgain, others }: Replays, instances: number): string {
  return `${tries} tries of ${proofs} proofs in parallel at ${instances} instances with one Redis: ${passed} passed, ${passedAgain} of them not the first of their proof, ` +
    `${tries - passed - others} answered 401, ${others} otherwise.`
}
