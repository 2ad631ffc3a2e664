// The table of reasons: docs/troubleshooting.md has all of it, and each reason is one that occurs.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { networkReason } from '../../lib/reasons/network.js'
import { REASONS } from '../../lib/reasons/reason.js'
import { SET_UP_REASONS, setUpReason } from '../../lib/reasons/set-up.js'
import { rowOf } from '../support/reasons.js'

const ROOT = new URL('../../', import.meta.url)

function read (path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

t.test('docs/troubleshooting.md has each reason, as it is said, and no other', async (t) => {
  const [, section] = read('docs/troubleshooting.md').split('\n## Reasons\n')
  const rows = section!.split('\n## ')[0]!.split('\n').filter((line) => line.startsWith('| `'))
  t.same(rows, Object.entries(REASONS).map(([code, entry]) => rowOf(code, entry)))
})

t.test('docs/troubleshooting.md lists the reasons that the log warns of, and each has a cure', async (t) => {
  const [, section] = read('docs/troubleshooting.md').split('The reasons are:\n')
  t.same(Array.from(section!.split('\n## ')[0]!.matchAll(/`(\w+)`/g), ([, code]) => code), SET_UP_REASONS)
  for (const code of SET_UP_REASONS) {
    const { sentence, advice } = REASONS[code]
    t.ok(sentence.includes('{advice}') || !advice.includes('{'), `the cure of ${code} needs no value that its sentence has not`)
  }
  t.same(['aud_mismatch', 'id_token', 'exp_passed'].map((code) => setUpReason(code as never)), ['proven', 'unproven', undefined])
})

t.test('no two tables have the same code, and codes are snake_case', async (t) => {
  const files = ['tokens', 'callers', 'outages', 'network', 'pushes', 'proofs', 'decisions', 'services'].map((name) => read(`lib/reasons/${name}.ts`))
  const codes = files.flatMap((text) => Array.from(text.matchAll(/^ {2}(\w+): \{/gm), ([, code]) => code!))
  t.same(codes.toSorted(), Object.keys(REASONS).toSorted())
  for (const code of codes) t.match(code, /^[a-z]+(_[a-z0-9]+)*$/)
})

t.test('each reason is given in lib/, and a test expects it by its code', async (t) => {
  const [lib, tests] = ['lib', 'test'].map((folder) => {
    const files = readdirSync(new URL(folder, ROOT), { recursive: true }) as string[]
    return files.filter((file) => file.endsWith('.ts')).map((file) => read(`${folder}/${file}`)).join('\n') + read('index.ts')
  })
  // Their codes are put together from the name of a part.
  const lookedUp = new Set(['header_not_base64url', 'header_not_json', 'payload_not_base64url', 'payload_not_json'])
  for (const [code, entry] of Object.entries(REASONS)) {
    if (!Object.hasOwn(entry, 'causes') && !lookedUp.has(code) && code !== 'refused_by_application') t.ok(lib!.includes(`'${code}'`), `${code} in lib/`)
    // Whoever would read it is gone.
    if (code !== 'caller_gone') t.ok(tests!.includes(`'${code}'`), `${code} in test/`)
  }
})

t.test('a failure of the network is told by its code, the most special first', async (t) => {
  const causes = Object.entries(REASONS).flatMap(([code, entry]) => 'causes' in entry ? entry.causes.map((cause) => [cause, code] as const) : [])
  for (const [cause, code] of causes) t.equal(networkReason(cause.replace('*', 'OTHER')), code, cause)
})
