// npm run build: writes dist/ in both formats. With --if-changed, only if dist/ is not the build of these sources; the checks use
// that, and a release does not.
//
//   dist/cjs   the sources with types and comments blanked out, and imports and exports as CommonJS, line by line (build/commonjs.mjs)
//   dist/esm   the entry points as ES modules that export what those of dist/cjs do, and the program
//
// So a process that imports and requires the package has one copy of it, and a stack trace has the lines of the sources without any
// flag. The package contains the sources of the public API (`files` of package.json) without those of the test realm; source
// maps and declaration maps lead to them. Both folders have the declarations that the entry points reach, and share their maps, and a
// package.json tells Node and TypeScript their format.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import blankSpace from 'ts-blank-space'
import ts from 'typescript'
import { commonJs } from './build/commonjs.mjs'
import { isUpToDate, writeStamp } from './build/stamp.mjs'

const ENTRIES = ['index.ts', 'lib/testing/index.ts', 'lib/mcp/index.ts']
/** The program, which nobody imports: one format, and no declarations. */
const PROGRAM = 'lib/cli/main.ts'
const MODULES = 'dist/cjs'
const FORMATS = { esm: 'module', cjs: 'commonjs' }
/** The folder that has the declaration maps of both. */
const MAPS = 'dist/esm'
/** The folder into which tsc writes the declarations of all files. */
const DECLARATIONS = 'dist/declarations'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
if (process.argv.includes('--if-changed') && isUpToDate()) process.exit()
rmSync('dist', { recursive: true, force: true })
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', DECLARATIONS], { stdio: 'inherit' })
if (status !== 0) process.exit(1)

const { files } = JSON.parse(readFileSync('package.json', 'utf8'))
const { [PROGRAM]: program, ...modules } = Object.fromEntries(reached([...ENTRIES, PROGRAM], javaScriptOf))
const declarations = reached(ENTRIES, (source) => readFileSync(`${DECLARATIONS}/${declarationOf(source)}`, 'utf8'))
for (const [source, javaScript] of Object.entries(modules)) writeModule(source, javaScript)
for (const entry of ENTRIES) write(`dist/esm/${scriptOf(entry)}`, wrapperOf(entry))
write(`dist/esm/${scriptOf(PROGRAM)}`, program.replace(/(?<=from ')\.\/(?=run\.js')/, `${toModules(PROGRAM)}/lib/cli/`))
for (const [format, type] of Object.entries(FORMATS)) {
  for (const [source, declaration] of declarations) writeDeclaration(`dist/${format}`, source, declaration)
  write(`dist/${format}/package.json`, JSON.stringify({ type, sideEffects: false }))
}
rmSync(DECLARATIONS, { recursive: true })
writeStamp()

/** The entry points and their imports: source → its text in dist/. */
function reached (sources, textOf, found = new Map()) {
  for (const source of sources) {
    if (found.has(source)) continue
    const text = textOf(source)
    found.set(source, text)
    const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'))
    reached(imported.map((name) => join(dirname(source), name).replace(/js$/, 'ts')), textOf, found)
  }
  return found
}

function javaScriptOf (source) {
  const typeScript = readFileSync(source, 'utf8')
  // Syntax that TypeScript would have to rewrite, such as an enum, is an error; erasableSyntaxOnly finds it first.
  const javaScript = blankSpace(typeScript, (node) => { throw new Error(`${source}: this cannot be blanked out: ${node.getText()}`) })
  const lines = typeScript.split('\n')
  return withoutComments(javaScript).split('\n').map((line, index) => withoutBlanks(line, lines[index])).join('\n').trimEnd()
}

/**
 * Writes a space for what the stripping blanked out in a line, and nothing at the end of it. Only runs of spaces that stand for
 * other characters of the source become shorter: the others may be part of a string or a template.
 */
function withoutBlanks (line, source) {
  const short = line.replace(/ {2,}/g, (run, start) => source.slice(start, start + run.length) === run ? run : ' ')
  return /\s$/.test(source) ? short : short.trimEnd()
}

/** Removes comments, because the sources have them. */
function withoutComments (javaScript) {
  const file = ts.createSourceFile('commented.js', javaScript, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS)
  let blank = javaScript
  const visit = (node) => {
    const comments = [...ts.getLeadingCommentRanges(javaScript, node.pos) ?? [], ...ts.getTrailingCommentRanges(javaScript, node.end) ?? []]
    for (const { pos, end } of comments) blank = blank.slice(0, pos) + blank.slice(pos, end).replace(/[^\n]/g, ' ') + blank.slice(end)
    node.getChildren(file).filter(({ kind }) => kind !== ts.SyntaxKind.JSDoc).forEach(visit)
  }
  visit(file)
  return blank
}

function writeModule (source, javaScript) {
  const path = `${MODULES}/${scriptOf(source)}`
  const code = commonJs(source, javaScript)
  // A map that leads to no file would only disturb a debugger.
  if (!isPublished(source)) return write(path, code)
  write(path, `${code}\n//# sourceMappingURL=${basename(path)}.map`)
  write(`${path}.map`, lineMap(path, source, code))
}

/**
 * An entry point as an ES module. The plugin is the default of itself, as fastify-plugin makes it, so it does not matter whether the
 * default of a CommonJS module is all that it exports, as in Node, or its member `default`, as in Bun.
 */
function wrapperOf (entry) {
  const path = `${toModules(entry)}/${scriptOf(entry)}`
  const names = [...readFileSync(`${MODULES}/${scriptOf(entry)}`, 'utf8').matchAll(/^exports\.(\w+) = /gm)].map(([, name]) => name)
  const named = `export { ${names.filter((name) => name !== 'default').join(', ')} } from '${path}'`
  return names.includes('default') ? `import all from '${path}'\nexport default all.default\n${named}` : named
}

/** The path from the ES module of a source to the folder of the CommonJS modules. */
function toModules (source) {
  return relative(dirname(`dist/esm/${source}`), MODULES)
}

function scriptOf (source) {
  return source.replace(/ts$/, 'js')
}

function isPublished (source) {
  return files.some((file) => source === file || source.startsWith(`${file}/`))
}

/** A source map of lines has a tenth of the size of one of words, and leads to the line, as a trace does without it. */
function lineMap (path, source, code) {
  const mappings = code.split('\n').map((_, index) => index === 0 ? 'AAAA' : 'AACA').join(';')
  return JSON.stringify({ version: 3, sources: [relative(dirname(path), source)], names: [], mappings })
}

function writeDeclaration (folder, source, declaration) {
  const path = `${folder}/${declarationOf(source)}`
  const text = source.startsWith('lib/reasons/') ? withoutSentences(declaration) : declaration
  if (!isPublished(source)) return write(path, text.replace(/^\/\/# sourceMappingURL=.+/m, ''))
  write(path, text.replace(/(?<=^\/\/# sourceMappingURL=).+/m, `${relative(dirname(path), path.replace(folder, MAPS))}.map`))
  // The relative path of the sources is right, because tsc wrote the file at the same depth.
  if (folder === MAPS) write(`${path}.map`, nameMap(declaration, JSON.parse(readFileSync(`${DECLARATIONS}/${declarationOf(source)}.map`, 'utf8'))))
}

/** A declaration map of the names that a line declares has a third of the size of one of all words. */
function nameMap (declaration, { file, sources, mappings }) {
  const lines = declaration.split('\n')
  const names = decode(mappings).map((words, line) => words.filter(([column]) => /[\w#$]/.test(lines[line][column])).slice(0, 2))
  // TypeScript reads no map without its file.
  return JSON.stringify({ version: 3, file, sources, names: [], mappings: encode(names) })
}

/** The codes of reasons are public types, but their sentences are not. */
function withoutSentences (declaration) {
  return declaration.replace(/(?<=^ +readonly (?:sentence|advice): )".*"(?=;$)/gm, 'string')
}

function declarationOf (source) {
  return source.replace(/ts$/, 'd.ts')
}

function write (path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${text.trimEnd()}\n`)
}
