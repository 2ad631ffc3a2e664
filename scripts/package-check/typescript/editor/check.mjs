// Checks by TypeScript's language service that editors show completions, a text on hover, and the TypeScript source of a definition.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript-5.9'

const FILE = join(import.meta.dirname, 'lines.ts')
const marked = readFileSync(join(import.meta.dirname, 'lines.txt'), 'utf8').split('\n')
const bars = marked.flatMap((line, at) => /^(app|const options)/.test(line) && line.includes('|') ? [at] : [])

/** The file without its bars. */
const lines = marked.map((line, at) => bars.includes(at) ? line.replace('|', '') : line)
const text = lines.join('\n')
const service = ts.createLanguageService({
  ...ts.sys,
  useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
  getCompilationSettings: () => ({ strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: ['node'] }),
  getCurrentDirectory: () => import.meta.dirname,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  getScriptFileNames: () => [FILE],
  getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(file === FILE ? text : ts.sys.readFile(file)),
  getScriptVersion: () => '1'
})

for (const at of bars) {
  const position = lines.slice(0, at).join('\n').length + 1 + marked[at].indexOf('|')
  const offered = service.getCompletionsAtPosition(FILE, position, {})?.entries ?? []
  const usable = offered.filter(({ kindModifiers }) => !kindModifiers?.includes('deprecated')).map(({ name }) => name)
  const missing = marked[at - 1].slice(3).split(' ').filter((name) => !usable.includes(name))
  if (missing.length > 0) fail(`${marked[at]}\ndoes not offer ${missing}, but ${usable.slice(0, 30)}`)
}

for (const [word, source] of [['keycloak, {', 'index.ts'], ['KeycloakOptions =', 'types/options.ts']]) {
  const [{ fileName, textSpan: { start: pos } }] = service.getDefinitionAtPosition(FILE, text.indexOf(word))
  const found = service.getSourceMapper().tryGetSourcePosition({ fileName, pos })
  if (found?.fileName.endsWith(`/fastify-keycloak-bearer/${source}`) !== true) fail(`the definition of ${word} is in ${found?.fileName ?? fileName}, not in ${source}`)
}

const program = service.getProgram()
const checker = program.getTypeChecker()
for (const name of ['fastify-keycloak-bearer', 'fastify-keycloak-bearer/testing', 'fastify-keycloak-bearer/mcp']) {
  const { resolvedModule } = ts.resolveModuleName(name, FILE, program.getCompilerOptions(), ts.sys, undefined, undefined, ts.ModuleKind.ESNext)
  const source = program.getSourceFile(resolvedModule.resolvedFileName) ?? fail(`${name} is not in the program`)
  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) documented(exported)
}

/** Each export, and each member of it, has a text on hover. */
function documented (exported) {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const members = symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class) ? checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)) : []
  for (const each of [symbol, ...members]) {
    if (each.name.startsWith('#')) continue
    const ours = each.declarations?.some((declaration) => declaration.getSourceFile().fileName.includes('/fastify-keycloak-bearer/'))
    if (ours && each.getDocumentationComment(checker).length + each.getJsDocTags().length === 0) {
      console.error(`${exported.name}${each === symbol ? '' : `.${each.name}`} says nothing on hover`)
      process.exitCode = 1
    }
  }
}

function fail (message) {
  console.error(message)
  process.exit(1)
}
