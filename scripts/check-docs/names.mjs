// Checks that docs/options.md names exactly the options of the types, with their defaults, and README exactly the error codes;
// that the tests exist that docs/security.md names; and that lib/ has the words of the log lines of docs/operating.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** The codes in the table of answers, without Fastify's. */
const CODE = /^[a-z]+(?:_[a-z]+)+$/

export function checkNames (root, pages) {
  const page = (name) => pages.find(({ file }) => file === name)
  const { options, codes } = promised(join(root, 'index.ts'))
  return [...checkOptions(page('docs/options.md'), options), ...checkCodes(page('README.md'), codes), ...checkTests(root, page('docs/security.md')), ...checkLogLines(root, page('docs/operating.md'))]
}

function checkOptions ({ file, tables }, options) {
  const rows = tables.filter(({ rows: [header] }) => header.cells[0].text === 'option').flatMap(({ rows }) => rows.slice(1))
  const problems = []
  const report = (line, message) => problems.push({ file, line, message })
  const found = new Set()
  for (const { line, cells: [{ codes: [name] }, , preset] } of rows) {
    if (!options.has(name)) report(line, `\`${name}\` is not an option`)
    else if (found.has(name)) report(line, `\`${name}\` is described twice`)
    else {
      const expected = options.get(name)
      if (expected !== undefined && preset.codes[0] !== expected) report(line, `the default of \`${name}\` is \`${expected}\` in the types`)
    }
    found.add(name)
  }
  for (const name of options.keys()) if (!found.has(name)) report(1, `no table has the option \`${name}\``)
  return problems
}

function checkCodes ({ file, tables }, codes) {
  const table = tables.find(({ rows: [header] }) => header.cells.map(({ text }) => text).join() === 'case,answer')
  if (table === undefined) return [{ file, line: 1, message: 'has no table with the columns "case" and "answer"' }]
  const told = table.rows.flatMap(({ line, cells }) => cells.at(-1).codes.filter((code) => CODE.test(code)).map((code) => ({ code, line })))
  return [
    ...codes.filter((code) => !told.some((each) => each.code === code)).map((code) => ({ file, line: table.line, message: `the table of answers lacks \`${code}\`` })),
    ...told.filter(({ code }) => !codes.includes(code)).map(({ code, line }) => ({ file, line, message: `\`${code}\` is no code of the plugin` }))
  ]
}

/** A test is a file or a folder of test/, or an npm script, which ./shell.mjs looks up. */
function checkTests (root, { file, tables }) {
  const rows = tables.filter(({ rows: [header] }) => header.cells.at(-1).text === 'tests').flatMap(({ rows }) => rows.slice(1))
  if (rows.length === 0) return [{ file, line: 1, message: 'has no table whose last column is called "tests"' }]
  const exists = (name) => [`${name}.test.ts`, name].some((path) => existsSync(join(root, 'test', path)))
  return rows.flatMap(({ line, cells }) => cells.at(-1).codes.filter((code) => !code.startsWith('npm ') && !exists(code))
    .map((code) => ({ file, line, message: `there is no test \`${code}\`` })))
}

/** A log line is found by its texts before, between and after each `…`. */
function checkLogLines (root, { file, tables }) {
  const table = tables.find(({ rows: [header] }) => header.cells.map(({ text }) => text).join() === 'level,line,member,meaning')
  if (table === undefined) return [{ file, line: 1, message: 'has no table with the columns "level", "line", "member" and "meaning"' }]
  const lib = join(root, 'lib')
  const sources = readdirSync(lib, { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(lib, name), 'utf8'))
  const isWritten = (words) => sources.some((text) => text.includes(words))
  return table.rows.slice(1).flatMap(({ line, cells: [, { codes: [text = ''] }] }) => text.split('…').map((words) => words.replace(/^[,: ]+|[,: ]+$/g, ''))
    .filter((words) => !isWritten(words)).map((words) => ({ file, line, message: `nothing in lib/ logs "${words}"` })))
}

/**
 * The options and error codes that index.ts exports as KeycloakOptions, SeveralIssuersOptions and KeycloakErrorCode. An option within a group is named
 * `group.option`; the default is that of the tag `@default`.
 */
function promised (entry) {
  const program = ts.createProgram([entry], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, skipLibCheck: true })
  const checker = program.getTypeChecker()
  const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry))).map((symbol) => [symbol.name, symbol]))
  const typeOf = (name) => {
    const symbol = exported.get(name)
    return checker.getDeclaredTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
  }
  const options = new Map()
  for (const property of ['KeycloakOptions', 'SeveralIssuersOptions'].flatMap((name) => checker.getPropertiesOfType(typeOf(name)))) {
    if (options.has(property.name)) continue
    const inner = groupOf(checker, checker.getNonNullableType(checker.getTypeOfSymbol(property)))
    const preset = defaultOf(property)
    // A group without a default of its own needs no row of its own.
    if (inner.length === 0 || preset !== undefined || !inner.every((each) => defaultOf(each) !== undefined)) options.set(property.name, preset)
    for (const each of inner) options.set(`${property.name}.${each.name}`, defaultOf(each))
  }
  return { options, codes: constituents(typeOf('KeycloakErrorCode')).map(({ value }) => value) }
}

/** The default of a tag such as `@default 600000 (10 minutes)`, without the parentheses. */
function defaultOf (symbol) {
  const tag = symbol.getJsDocTags().find(({ name }) => name === 'default')
  return tag && ts.displayPartsToString(tag.text).replace(/ \(.*\)$/, '').trim()
}

function constituents (type) {
  return type.isUnion() ? type.types : [type]
}

/** The properties of an option whose type is an interface of this package, not a function, an array or a class of another package. */
function groupOf (checker, type) {
  return constituents(type).filter(({ symbol }) => symbol?.flags & ts.SymbolFlags.Interface && /\/types\/\w+\.ts$/.test(symbol.declarations[0].getSourceFile().fileName))
    .flatMap((each) => checker.getPropertiesOfType(each))
}
