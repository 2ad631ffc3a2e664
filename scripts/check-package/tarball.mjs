// Checks the size and the files of the tarball, and that stack traces lead to the sources.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The largest size of the tarball, in bytes. */
export const MAX_SIZE = 500_000

export function kB (bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`
}

export function checkSize (tarball) {
  const { size } = statSync(tarball)
  if (size > MAX_SIZE) throw new Error(`the tarball has ${kB(size)}, and may have ${kB(MAX_SIZE)}: see what \`npm pack --dry-run\` lists`)
  return { details: kB(size) }
}

/** @param folder that the package is installed in */
export function checkFiles (folder) {
  const files = readdirSync(folder, { recursive: true })
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    if (!files.includes(file)) throw new Error(`${file} is missing`)
  }
  const tests = files.filter((file) => !file.startsWith('examples/') && /test-d|\.test\.|package-check/.test(file))
  if (tests.length > 0) throw new Error(`tests are published: ${tests}`)
  const left = files.filter((file) => /^docs\/(?:migrating-from-|performance\.md|images)/.test(file))
  if (left.length > 0) throw new Error(`files are published that CHANGELOG.md says to be in the repository alone: ${left}`)
  const maps = files.filter((file) => file.endsWith('.map'))
  for (const file of files.filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file))) {
    const [, map] = readFileSync(join(folder, file), 'utf8').match(/^\/\/# sourceMappingURL=(.+)$/m) ?? []
    // The JavaScript of a source that is not published has its lines, and neither it nor the declaration has a map.
    if (map === undefined && /^dist\/esm\/.+\.js$/.test(file)) continue // It only exports what its twin in dist/cjs does.
    if (map === undefined && !files.includes(file.replace(/^dist\/(?:esm|cjs)\/(.+?)(?:\.d\.ts|\.js)$/, '$1.ts'))) continue
    if (map === undefined || !maps.includes(join(dirname(file), map))) throw new Error(`${file} has no map`)
  }
  for (const map of maps) {
    for (const source of JSON.parse(readFileSync(join(folder, map), 'utf8')).sources) {
      if (!existsSync(join(folder, dirname(map), source))) throw new Error(`${map} names a source that is missing: ${source}`)
    }
  }
  checkReadme(folder)
  return { details: `${files.filter((file) => statSync(join(folder, file)).isFile()).length} of them` }
}

/**
 * Checks that the links of README lead to files of the package, because a reader of node_modules has no others. npm's page shows the
 * picture from the repository that package.json names, not from the package.
 */
function checkReadme (folder) {
  const text = readFileSync(join(folder, 'README.md'), 'utf8').replace(/!\[[^\]]*\]\([^)]*\)/g, '')
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link)
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(folder, link)))
  if (broken.length > 0) throw new Error(`README.md links to files that are not in the package: ${broken}`)
}

/**
 * Checks that the same error, of the plugin imported and required, has the position of the TypeScript sources.
 * @param traces without source maps
 * @param mapped the trace of one of them with `node --enable-source-maps`
 */
export function checkTraces (folder, traces, mapped) {
  const places = traces.map((trace) => placesIn(trace, /dist\/(?:esm|cjs)\/([\w/-]+)\.js:(\d+)/g))
  places.push(placesIn(mapped, /fastify-keycloak-bearer\/(?:dist\/cjs\/)?((?:lib\/)?[\w/-]+)\.[tj]s:(\d+)/g))
  const [first, ...others] = places
  if (!/fastify-keycloak-bearer\/[\w/-]+\.ts:/.test(mapped)) throw new Error(`the trace names no source: ${mapped}`)
  if (first.length === 0 || others.some((other) => `${other}` !== `${first}`)) throw new Error([...traces, mapped].join('\n'))
  for (const place of first) {
    const [file, line] = place.split(':')
    // A stack only has lines that call or construct something.
    if (!/\w\s*\(|=>/.test(readFileSync(join(folder, 'dist/cjs', file.replace(/ts$/, 'js')), 'utf8').split('\n')[line - 1])) throw new Error(`no call is at ${place}`)
  }
}

function placesIn (trace, pattern) {
  return [...trace.matchAll(pattern)].map(([, file, line]) => `${file}.ts:${line}`)
}
