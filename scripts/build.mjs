// Builds dist/ in both formats, for a package that is small and whose stack traces need no help:
//
//   dist/esm   the sources with their types and comments blanked out: every line and column is that of the TypeScript file
//   dist/cjs   the same with its imports and exports as CommonJS, line by line
//
// So there are no source maps, and no sources to publish for them; what users read of comments is in the .d.ts. Only what
// the entry points of package.json reach is written. Each folder carries the package.json that tells Node (and TypeScript)
// which of the two formats its .js and .d.ts files are.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'sucrase'
import blankSpace from 'ts-blank-space'
import ts from 'typescript'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
rmSync('dist', { recursive: true, force: true })

const declarations = emitDeclarations()
for (const [format, type, compiled] of [['esm', 'module', (javaScript) => javaScript], ['cjs', 'commonjs', commonJs]]) {
  write(`dist/${format}/package.json`, JSON.stringify({ type, sideEffects: false }) + '\n')
  const sources = reached(entries(format, '.js'), (file) => blanked(file.replace(/\.js$/, '.ts')))
  for (const [file, javaScript] of sources) write(`dist/${format}/${file}`, compiled(javaScript))
  for (const [file, types] of reached(entries(format, '.d.ts'), (file) => declarations.get(file))) write(`dist/${format}/${file}`, types)
}

function commonJs (javaScript) {
  return transform(javaScript, { transforms: ['imports'], disableESTransforms: true, preserveDynamicImport: false }).code
}

/**
 * A source without its types and comments. What TypeScript would have to rewrite, such as an enum, is an error
 * (erasableSyntaxOnly).
 */
function blanked (file) {
  const source = readFileSync(file, 'utf8')
  const javaScript = blankSpace(source, (node) => {
    throw new Error(`${file}: types alone can be taken out, but this would have to be rewritten: ${node.getText()}`)
  })
  const lines = source.split('\n')
  return withoutComments(javaScript).split('\n').map((line, index) => /\s$/.test(lines[index]) ? line : line.trimEnd()).join('\n')
}

function withoutComments (javaScript) {
  const source = ts.createSourceFile('commented.js', javaScript, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS)
  let blank = javaScript
  const visit = (node) => {
    const around = [...ts.getLeadingCommentRanges(javaScript, node.pos) ?? [], ...ts.getTrailingCommentRanges(javaScript, node.end) ?? []]
    for (const { pos, end } of around) blank = blank.slice(0, pos) + blank.slice(pos, end).replace(/[^\n]/g, ' ') + blank.slice(end)
    node.getChildren(source).filter(({ kind }) => kind !== ts.SyntaxKind.JSDoc).forEach(visit)
  }
  visit(source)
  return blank
}

/** The declarations of all sources: file → text. */
function emitDeclarations () {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'))
  try {
    const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))
    const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
    if (status !== 0) process.exit(1)
    return new Map(ts.sys.readDirectory(folder, ['.d.ts']).map((file) => [relative(folder, file), readFileSync(file, 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of a format that package.json names, whatever the condition, as paths below dist/esm or dist/cjs. */
function entries (format, extension) {
  const named = []
  const collect = (value) => typeof value === 'string' ? named.push(value) : Object.values(value ?? {}).forEach(collect)
  collect([manifest.exports, manifest.bin])
  const prefix = `./dist/${format}/`
  return named.map((file) => file.startsWith('./') ? file : `./${file}`)
    .filter((file) => file.startsWith(prefix) && file.endsWith(extension)).map((file) => file.slice(prefix.length))
}

/** These files and all that they import from each other: file → text. */
function reached (files, textOf, found = new Map()) {
  for (const file of files) {
    if (found.has(file)) continue
    const text = textOf(file)
    found.set(file, text)
    const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'))
    reached(imported.map((name) => join(dirname(file), name).replace(/\.js$/, file.endsWith('.d.ts') ? '.d.ts' : '.js')), textOf, found)
  }
  return found
}

function write (file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
