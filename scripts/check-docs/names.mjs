// README names every option and every error code that the types know, and none besides.
import { join } from 'node:path'
import ts from 'typescript'

/** The codes of the table of answers that are none of ours. */
const CODE = /^[a-z]+(?:_[a-z]+)+$/

export function checkNames (root, pages) {
  const readme = pages.find(({ file }) => file === 'README.md')
  const { options, codes } = promised(join(root, 'index.ts'))
  return [...checkOptions(readme, options), ...checkCodes(readme, codes)]
}

function checkOptions ({ file, tables }, options) {
  const table = tables.find(({ rows: [header] }) => header.cells[0].text === 'option')
  if (table === undefined) return [{ file, line: 1, message: 'has no table whose first column is called "option"' }]
  const rows = new Map(table.rows.slice(1).map((row) => [row.cells[0].codes[0], row]))
  const problems = []
  const say = (line, message) => problems.push({ file, line, message })
  for (const [name, inner] of options) {
    const row = rows.get(name)
    if (row === undefined) say(table.line, `the table of options lacks \`${name}\``)
    else {
      const words = new Set(row.cells.flatMap(({ codes }) => codes.flatMap((code) => code.match(/\w+/g) ?? [])))
      for (const each of inner) if (!words.has(each)) say(row.line, `\`${name}\` does not tell of its \`${each}\``)
      const [, literal] = /^\{(.*)\}$/.exec(row.cells[1].codes[0] ?? '') ?? []
      for (const [, each] of (literal ?? '').matchAll(/(\w+):/g)) if (!inner.includes(each)) say(row.line, `\`${name}\` has no \`${each}\``)
    }
  }
  for (const [name, { line }] of rows) if (!options.has(name)) say(line, `\`${name}\` is no option`)
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

/** What index.ts exports as KeycloakOptions (option → its own options) and KeycloakErrorCode. */
function promised (entry) {
  const program = ts.createProgram([entry], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, skipLibCheck: true })
  const checker = program.getTypeChecker()
  const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry))).map((symbol) => [symbol.name, symbol]))
  const typeOf = (name) => {
    const symbol = exported.get(name)
    return checker.getDeclaredTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
  }
  const real = (type) => !(type.flags & ts.TypeFlags.Never)
  const options = new Map()
  for (const type of constituents(typeOf('KeycloakOptions'))) {
    for (const property of checker.getPropertiesOfType(type)) {
      const value = checker.getNonNullableType(checker.getTypeOfSymbol(property))
      if (real(value)) options.set(property.name, groupOf(checker, value))
    }
  }
  return { options, codes: constituents(typeOf('KeycloakErrorCode')).map(({ value }) => value) }
}

function constituents (type) {
  return type.isUnion() ? type.types : [type]
}

/** The properties of an option that is one of our interfaces, and no function, array or class of another package. */
function groupOf (checker, type) {
  return constituents(type).filter(({ symbol }) => symbol?.flags & ts.SymbolFlags.Interface && /\/types\/\w+\.ts$/.test(symbol.declarations[0].getSourceFile().fileName))
    .flatMap((each) => checker.getPropertiesOfType(each).map(({ name }) => name))
}
