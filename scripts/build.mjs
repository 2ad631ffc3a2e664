// Builds dist/ in both formats, for a package that is small and whose stack traces need no help:
//
//   dist/esm   the sources with their types blanked out: every line and column is that of the TypeScript file
//   dist/cjs   the same as CommonJS, without comments; source maps lead from its lines to those of dist/esm
//
// Only what the entry points of package.json reach is written. Each folder carries the package.json that tells Node
// (and TypeScript) which of the two formats its .js and .d.ts files are.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawnSync } from 'node:child_process'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import blankSpace from 'ts-blank-space'
import ts from 'typescript'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
rmSync('dist', { recursive: true, force: true })

const declarations = emitDeclarations()
for (const [format, type, compile] of [['esm', 'module', esModule], ['cjs', 'commonjs', commonJs]]) {
  write(`dist/${format}/package.json`, JSON.stringify({ type, sideEffects: false }) + '\n')
  for (const [file, javaScript] of reached(entries(format, '.js'), (file) => blanked(file.replace(/\.js$/, '.ts')))) {
    compile(file, javaScript)
  }
  for (const [file, types] of reached(entries(format, '.d.ts'), (file) => declarations.get(file))) write(`dist/${format}/${file}`, types)
}

function esModule (file, javaScript) {
  write(`dist/esm/${file}`, javaScript)
}

function commonJs (file, javaScript) {
  const { outputText, sourceMapText } = ts.transpileModule(javaScript, {
    fileName: file,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true, removeComments: true, sourceMap: true
    }
  })
  write(`dist/cjs/${file}`, outputText)
  // A position for each line is enough of a map, and a quarter of its size.
  const mappings = encode(decode(JSON.parse(sourceMapText).mappings).map((line) => line.slice(0, 1)))
  const source = relative(dirname(`dist/cjs/${file}`), `dist/esm/${file}`)
  write(`dist/cjs/${file}.map`, JSON.stringify({ version: 3, sources: [source], names: [], mappings }))
}

/** A source without its types. What TypeScript would have to rewrite, such as an enum, is an error (erasableSyntaxOnly). */
function blanked (file) {
  const javaScript = blankSpace(readFileSync(file, 'utf8'), (node) => {
    throw new Error(`${file}: types alone can be taken out, but this would have to be rewritten: ${node.getText()}`)
  })
  return javaScript.replace(/[ \t]+$/gm, '')
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
