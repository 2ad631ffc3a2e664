import type { Api, Usage } from './child.js'
import type { Load, Tally } from './load.js'

/** What memory may have grown by at the end, in bytes: half again, and what a warm process needs. */
const GROWTH = { factor: 1.5, slack: 16 * 1024 * 1024 }

/** How long app.close() may take, in milliseconds. */
const CLOSE = 1000

/** Print what happened. @returns whether all of it was as it should be */
export function report (load: Load, minutes: number): boolean {
  const total = [...load.counts.values()].reduce((sum, each) => sum + each, 0)
  console.log(`\n${total} requests in ${minutes.toFixed(1)} minutes`)
  print(load.counts)
  console.log(load.unexpected.size === 0 ? 'No unexpected answer.' : 'UNEXPECTED:')
  print(load.unexpected)
  return load.unexpected.size === 0
}

/** Compare an API with how it was when it was warm, and end it with calls in flight. */
export async function settle (api: Api, warm: Usage, hang: () => Promise<unknown>): Promise<boolean> {
  const after = await api.usage()
  const grown = after.memory > warm.memory * GROWTH.factor + GROWTH.slack
  const inFlight = hang()
  await new Promise((resolve) => { setTimeout(resolve, 200) })
  const closed = await api.close()
  await inFlight
  const leaks = after.sockets > warm.sockets
  api.kill()
  const line = `${api.name}: heap ${mebibytes(warm.memory)} → ${mebibytes(after.memory)} MiB, sockets ${warm.sockets} → ${after.sockets}, closed in ${Math.round(closed)} ms`
  console.log(line + (grown ? ' MEMORY GREW' : '') + (leaks ? ' SOCKETS LEAKED' : '') + (closed > CLOSE ? ' CLOSED LATE' : ''))
  for (const fault of api.faults) console.log(`${api.name}: FAULT ${fault}`)
  return !grown && !leaks && closed <= CLOSE && api.faults.length === 0
}

function print (tally: Tally): void {
  for (const [key, times] of [...tally].sort()) console.log(`  ${String(times).padStart(9)}  ${key}`)
}

function mebibytes (bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
