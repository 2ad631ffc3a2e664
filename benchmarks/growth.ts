// Cost grows no faster than the input: roles, length of the token, keys of the realm.
import { here } from './paths.js'
import type { Part } from './part.js'
import { CORE, output } from './processes.js'
import { table, whole } from './tables.js'

/** CPU microseconds. */
interface Costs {
  size: number
  bytes: number
  hit: number
  miss: number
  check?: number
  cold?: number
}

export async function measureGrowth (): Promise<Part> {
  const text = await output(CORE.server, process.execPath, [here('growing.mjs')], 180)
  const result = /^RESULT (.*)$/m.exec(text)
  if (result === null) throw new Error(`growing.mjs gave no result: ${text}`)
  const { roles, lengths, keys } = JSON.parse(result[1]!) as Record<'roles' | 'lengths' | 'keys', Costs[]>
  return {
    values: {},
    text: [
      'CPU microseconds of a token that is in the cache (hit), and of one that is verified (miss); × is the multiple of the first line.',
      grown('roles of the client', roles, ['hit', 'miss', 'check']),
      'Check: `request.hasPermission(role)`, the mean of the last role and one that is not there.',
      grown('characters of the token', lengths, ['hit', 'miss']),
      grown('keys of the realm', keys, ['hit', 'miss', 'cold']),
      'Cold: the first token of a new API, the fetch and the import of the key set included.'
    ].join('\n\n')
  }
}

function grown (what: string, costs: readonly Costs[], columns: ReadonlyArray<'hit' | 'miss' | 'check' | 'cold'>): string {
  const [first] = costs
  const head = [what, '×', 'bytes', '×', ...columns.flatMap((column) => [`${column} µs`, '×'])]
  return table(head, costs.map((each) => [
    whole(each.size), times(each.size, first!.size), whole(each.bytes), times(each.bytes, first!.bytes),
    ...columns.flatMap((column) => [each[column]!.toFixed(2), times(each[column]!, first![column]!)])
  ]))
}

function times (value: number, first: number): string {
  return (value / first).toFixed(1)
}
