// The stamp of a build: a digest of the files that it read and of those that it wrote.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const STAMP = 'node_modules/.cache/build.sha256'
const INPUTS = ['index.ts', 'lib', 'types', 'scripts/build.mjs', 'scripts/build', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
const OUTPUT = 'dist'

/** Did the last build read these sources, and write the files that are in dist/? */
export function isUpToDate () {
  return existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest()
}

export function writeStamp () {
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, digest())
}

function digest () {
  const hash = createHash('sha256')
  for (const path of [...INPUTS, OUTPUT].flatMap(filesIn)) hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function filesIn (path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).sort().flatMap((name) => filesIn(join(path, name)))
}
