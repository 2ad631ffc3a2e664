// Blanks out the types of the project's files when they are imported. Each line and column stays the same, so stack traces and coverage
// need no source map. Results stay in node_modules/.cache, because a process that finds all of them there does not load TypeScript.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const CACHE = new URL('../../node_modules/.cache/blank-types/', import.meta.url)
const DEPENDENCY = /\/node_modules\//
/** The packages whose version decides about the result. */
const VERSIONS = ['ts-blank-space', 'typescript'].map((name) => require(`${name}/package.json`).version).join()

/** Imports name the JavaScript file, as TypeScript wants it. */
export function resolve (specifier, context, next) {
  const { parentURL = '' } = context
  const typeScript = specifier.replace(/(?<=^\.{1,2}\/[^?#]*\.)js(?=$|[?#])/, 'ts')
  if (typeScript === specifier || !parentURL.startsWith('file:') || DEPENDENCY.test(parentURL)) return next(specifier, context)
  return next(existsSync(new URL(typeScript, parentURL)) ? typeScript : specifier, context)
}

export async function load (url, context, next) {
  if (!/^file:[^?#]*\.ts(?:$|[?#])/.test(url) || DEPENDENCY.test(url)) return next(url, context)
  // tap counts the files that it sees in its own hook.
  const { source } = await next(url, { ...context, format: 'module' })
  return { format: 'module', shortCircuit: true, source: await blanked(url, String(source)) }
}

async function blanked (url, typeScript) {
  const hash = createHash('sha256').update(VERSIONS).update(typeScript).digest('hex')
  const entry = new URL(`${hash}.js`, CACHE)
  try {
    return readFileSync(entry, 'utf8')
  } catch {
    const { default: blankSpace } = await import('ts-blank-space')
    const javaScript = blankSpace(typeScript, (node) => { throw new Error(`${url}: this cannot be blanked out: ${node.getText()}`) })
    keep(entry, javaScript)
    return javaScript
  }
}

/** Other processes write the same entries, and must not read half of one. */
function keep (entry, javaScript) {
  mkdirSync(CACHE, { recursive: true })
  const unfinished = new URL(`${entry}.${process.pid}`)
  writeFileSync(unfinished, javaScript)
  renameSync(unfinished, entry)
}
