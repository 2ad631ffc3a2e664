// Writes an ES module as CommonJS, line by line: imports become constants, and exports are set at the end. So the code between is the
// same as in the source, and calls no function by way of a module object. That needs a graph without circles, which lint holds.
import ts from 'typescript'

const FIRST = '"use strict";Object.defineProperty(exports, "__esModule", { value: true });'

/** @param javaScript the text of an ES module without types */
export function commonJs (source, javaScript) {
  const file = ts.createSourceFile(`${source}.js`, javaScript, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS)
  const edits = []
  const exported = []
  // A statement can end with a semicolon that stands some lines below, in the place of a type.
  const edit = (node, text) => edits.push({ start: node.getStart(file), end: node.end, text: text + '\n'.repeat(linesOf(node.getText(file)) - linesOf(text)) })

  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) edit(statement, importOf(statement))
    else if (ts.isExportDeclaration(statement)) edit(statement, exportsOf(statement))
    else if (ts.isExportAssignment(statement)) edit(statement, defaultOf(statement))
    else withoutKeyword(statement)
  }
  findCalls(file)
  const body = edits.sort((one, other) => other.start - one.start)
    .reduce((text, { start, end, text: other }) => text.slice(0, start) + other + text.slice(end), javaScript)
  return `${FIRST}${body}\n${exported.map(([name, local]) => `exports.${name} = ${local}`).join('\n')}`

  function importOf ({ importClause, moduleSpecifier }) {
    const call = `require(${moduleSpecifier.getText(file)})`
    if (importClause === undefined) return call
    const { name, namedBindings: bindings } = importClause
    // As in Node, the default of a CommonJS package is the value that it exports. A module of this package has none.
    if (name !== undefined && moduleSpecifier.text.startsWith('.')) refuse(name)
    const constants = [name?.text, bindings && (ts.isNamespaceImport(bindings) ? bindings.name.text : patternOf(bindings))].filter((each) => each !== undefined)
    return constants.map((constant) => `const ${constant} = ${call}`).join('; ')
  }

  function exportsOf ({ exportClause, moduleSpecifier, ...statement }) {
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) refuse(statement)
    for (const { name, propertyName } of exportClause.elements) exported.push([name.text, (propertyName ?? name).text])
    if (moduleSpecifier === undefined) return ''
    const names = exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
    return `const { ${names.join(', ')} } = require(${moduleSpecifier.getText(file)})`
  }

  function defaultOf ({ expression }) {
    if (!ts.isIdentifier(expression)) refuse(expression)
    exported.push(['default', expression.text])
    return ''
  }

  function withoutKeyword (statement) {
    const keyword = statement.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (keyword === undefined) return
    edits.push({ start: keyword.getStart(file), end: keyword.end + 1, text: '' })
    const declarations = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement]
    for (const { name } of declarations) {
      // The importers have the value of now, so that it must be the last one.
      if (name === undefined || !ts.isIdentifier(name) || statement.declarationList?.flags === ts.NodeFlags.Let) refuse(statement)
      exported.push([name.text, name.text])
    }
  }

  /** Names in braces, on the lines that they have. */
  function patternOf (bindings) {
    return bindings.elements.length === 0 ? undefined : bindings.getText(file).replace(/(\w+) as (\w+)/g, '$1: $2')
  }

  function findCalls (node) {
    if (ts.isMetaProperty(node)) refuse(node)
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      edit(node, `Promise.resolve().then(() => require(${node.arguments[0].getText(file)}))`)
    }
    ts.forEachChild(node, findCalls)
  }

  function refuse (node) {
    throw new Error(`${source}: this cannot be written as CommonJS: ${javaScript.slice(node.pos, node.end)}`)
  }
}

function linesOf (text) {
  return text.split('\n').length
}
