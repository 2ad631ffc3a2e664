// What is published: how much, which files, and that stack traces lead to the sources.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the tarball may weigh, in bytes. */
export const MAX_SIZE = 500_000

export function kB (bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`
}

export function checkSize (tarball) {
  const { size } = statSync(tarball)
  if (size > MAX_SIZE) throw new Error(`The tarball weighs ${kB(size)}, and may weigh ${kB(MAX_SIZE)}: see what \`npm pack --dry-run\` lists.`)
  return { say: kB(size) }
}

/** Of the package as it is installed. */
export function checkFiles (folder) {
  const all = readdirSync(folder, { recursive: true })
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    if (!all.includes(file)) throw new Error(`${file} is missing`)
  }
  const tests = all.filter((file) => /test-d|\.test\.|package-check/.test(file))
  if (tests.length > 0) throw new Error(`${tests} should not be published`)
  const sources = all.filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
  if (sources.length > 0) throw new Error(`${sources} should not be published: dist/ has their lines`)
}

/** The same error, thrown by each format, has to be where it is in the TypeScript sources. */
export function checkTraces (root, ...traces) {
  const frames = traces.map((trace) => [...trace.matchAll(/dist\/(?:esm|cjs)\/([\w/-]+)\.js:(\d+)/g)])
  const [places, ...others] = frames.map((matches) => matches.map(([, file, line]) => `${file}.ts:${line}`))
  if (places.length === 0 || others.some((other) => `${other}` !== `${places}`)) throw new Error(traces.join('\n'))
  for (const place of places) {
    const [file, line] = place.split(':')
    // Only a line that calls or constructs something can be in a stack.
    if (!/\w\s*\(|=>/.test(readFileSync(join(root, file), 'utf8').split('\n')[line - 1])) throw new Error(`no call is at ${place}`)
  }
}
