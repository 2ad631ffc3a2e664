// Type-checks the code blocks as a user's strict TypeScript would, with the package by its name. Each block is a module in
// memory whose path is beside its page; the exports of ./prelude.ts are global names.
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'

const NAME = 'fastify-keycloak-bearer'
const LANGUAGES = { ts: '.mts', typescript: '.mts', js: '.mjs', javascript: '.mjs', mjs: '.mjs', cjs: '.cjs' }

/** Packages that pages show and that are not installed here: their exports are `any`. */
const ELSEWHERE = ['@jest/globals', '@testcontainers/redis', 'drizzle-orm', 'jest', 'kysely', 'pg', 'postgres', 'supertest', 'testcontainers', 'vitest', 'vitest/config']

/** The codes of "x is not found", in its variants. */
const NOT_FOUND = new Set([2304, 2503, 2552, 2693, 18004])
/** The codes of "x implicitly has an any type", which callbacks of an `any` cannot avoid. */
const IMPLICIT = new Set([7006, 7031, 7019])

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.es2024.string.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  esModuleInterop: true,
  allowJs: true,
  checkJs: true
}

export function isScript ({ language }) {
  return Object.hasOwn(LANGUAGES, language)
}

/** The blocks as modules: { block, path, before and after (the code around it), lead (the lines before), text }. */
export class Blocks {
  #root
  #globals
  #host
  #sources = new Map()
  #before

  constructor (root, blocks) {
    this.#root = root
    this.#globals = join(root, '.globals.d.ts')
    this.modules = blocks.map((block) => this.#module(block))
    this.#host = this.#createHost()
  }

  /** The problems, as { file, line, message }. */
  check () {
    const global = this.modules.filter(({ augments }) => !augments)
    const alone = this.modules.filter(({ augments }) => augments)
    return [global, ...alone.map((module) => [module])].flatMap((modules) => this.#checkTogether(modules))
  }

  #module (block) {
    const path = join(this.#root, dirname(block.file), `.${block.file.replaceAll('/', '_')}_${block.line}${LANGUAGES[block.language]}`)
    const [before, after] = around(block)
    const module = { block, path, before, after, lead: before.split('\n').length, augments: /^\s*declare\s+(?:module|global)\b/m.test(block.text + before) }
    module.text = `${before}\n${block.text}\n${after}`
    this.#sources.set(path, module.text)
    return module
  }

  #checkTogether (modules) {
    const first = this.#diagnostics(modules)
    // A block may use the declarations of earlier blocks of its page.
    const missing = first.filter(({ code, name }) => NOT_FOUND.has(code) && name !== undefined)
    const lending = missing.filter(({ module, name }) => this.#borrow(module, name))
    return (lending.length > 0 ? this.#diagnostics(modules) : first).map(({ module, line, message }) => ({ file: module.block.file, line, message }))
  }

  #borrow (module, name) {
    const lender = this.modules.filter((other) => other.block.file === module.block.file && other.block.line < module.block.line && declared(other).has(name)).at(-1)
    if (lender === undefined) return false
    if (!this.#sources.get(lender.path).includes(`/* lends ${name} */`)) {
      this.#sources.set(lender.path, `${this.#sources.get(lender.path)}${declared(lender).get(name) ? '' : `; export { ${name} }`} /* lends ${name} */`)
    }
    const specifier = `./${basename(lender.path).replace(/\.mts$/, '.mjs')}`
    if (!this.#sources.get(module.path).includes(`import { ${name} } from '${specifier}'`)) {
      // On the first line, so that line numbers do not change.
      this.#sources.set(module.path, `import { ${name} } from '${specifier}'; ${this.#sources.get(module.path)}`)
    }
    return true
  }

  #diagnostics (modules) {
    const byPath = new Map(modules.map((module) => [module.path, module]))
    const program = ts.createProgram([this.#globals, ...byPath.keys()], OPTIONS, this.#host, this.#before)
    this.#before = program
    return [...byPath].flatMap(([path, module]) => {
      const source = program.getSourceFile(path)
      const foreign = ELSEWHERE.some((name) => module.text.includes(`'${name}'`)) || /\bfrom '\.\.?\//.test(module.block.text)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
        .filter(({ code }) => !(IMPLICIT.has(code) && (foreign || path.endsWith('js'))))
        .map((diagnostic) => describe(diagnostic, source, module))
    })
  }

  #createHost () {
    const host = ts.createCompilerHost(OPTIONS)
    const { getSourceFile, fileExists, readFile } = host
    const cache = new Map()
    this.#sources.set(this.#globals, globals(join(this.#root, 'scripts/check-docs/prelude.ts')))
    const virtual = (path) => this.#sources.get(path)
    host.fileExists = (path) => virtual(path) !== undefined || fileExists.call(host, path)
    host.readFile = (path) => virtual(path) ?? readFile.call(host, path)
    host.getSourceFile = (path, options, ...rest) => {
      const text = virtual(path)
      if (text !== undefined) return ts.createSourceFile(path, text, options, true)
      if (!cache.has(path)) cache.set(path, getSourceFile.call(host, path, options, ...rest))
      return cache.get(path)
    }
    const packages = { [NAME]: 'index.ts', [`${NAME}/testing`]: 'lib/testing/index.ts', [`${NAME}/mcp`]: 'lib/mcp/index.ts' }
    const resolutions = ts.createModuleResolutionCache(this.#root, (name) => name, OPTIONS)
    host.resolveModuleNameLiterals = (literals, containing, redirected, options, source) => literals.map((literal) => {
      const own = packages[literal.text]
      if (own !== undefined) return { resolvedModule: { resolvedFileName: join(this.#root, own), extension: '.ts', isExternalLibraryImport: false } }
      const mode = ts.getModeForUsageLocation(source, literal, options)
      const resolved = ts.resolveModuleName(literal.text, containing, options, host, resolutions, redirected, mode)
      if (resolved.resolvedModule !== undefined || !literal.text.startsWith('.') || !this.#sources.has(containing)) return resolved
      // The import of a file of the reader's own application.
      const path = `${containing}.${literal.text.replaceAll(/\W/g, '_')}.d.mts`
      this.#sources.set(path, anything(source, literal.text))
      return { resolvedModule: { resolvedFileName: path, extension: '.d.mts', isExternalLibraryImport: false } }
    })
    return host
  }
}

/** The code around a block. */
function around ({ directive, code }) {
  const at = code.indexOf('…')
  if (at >= 0) return [code.slice(0, at), code.slice(at + 1)]
  return directive === 'run' ? ['', code] : [code, '']
}

/** The globals of every block: the names of the prelude, and the packages that are not installed here. */
function globals (prelude) {
  const program = ts.createProgram([prelude], OPTIONS)
  const module = program.getTypeChecker().getSymbolAtLocation(program.getSourceFile(prelude))
  const names = program.getTypeChecker().getExportsOfModule(module).map(({ name }) => name)
  const elsewhere = ELSEWHERE.filter((name) => ts.resolveModuleName(name, prelude, OPTIONS, ts.sys).resolvedModule === undefined)
  return [
    ...names.map((name) => `declare const ${name}: typeof import('${prelude.replace(/\.ts$/, '.js')}').${name}`),
    ...elsewhere.map((name) => `declare module '${name}'`)
  ].join('\n')
}

/** The names that a module declares at its top level: name → whether it exports them. */
function declared ({ path, text }) {
  const names = new Map()
  const add = (name, exported) => {
    if (name === undefined) return
    if (ts.isIdentifier(name)) names.set(name.text, exported)
    else for (const { name: inner } of name.elements ?? []) add(inner, exported)
  }
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.ES2022).statements) {
    const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) add(name, exported)
    else if (ts.isImportDeclaration(statement)) importedBy(statement.importClause).forEach((name) => add(name, false))
    else add(statement.name, exported)
  }
  return names
}

/** A module whose exports are the names that a file imports from it. */
function anything ({ statements }, name) {
  const clauses = statements.filter((statement) => ts.isImportDeclaration(statement) && statement.moduleSpecifier.text === name).map(({ importClause }) => importClause)
  const names = clauses.flatMap((clause) => clause?.namedBindings?.elements?.map((element) => (element.propertyName ?? element.name).text) ?? [])
  return ['declare const anything: any; export default anything', ...names.map((each) => `export declare const ${each}: any`)].join('\n')
}

function importedBy ({ name, namedBindings: bindings } = {}) {
  return [name, bindings?.name, ...bindings?.elements?.map((element) => element.name) ?? []]
}

function describe ({ code, start, messageText }, source, module) {
  const { line } = source.getLineAndCharacterOfPosition(start ?? 0)
  const { block, lead } = module
  const inBlock = line - lead >= 0 && line - lead < block.text.split('\n').length
  return {
    module,
    code,
    name: /'([\w$]+)'/.exec(ts.flattenDiagnosticMessageText(messageText, '\n'))?.[1],
    line: inBlock ? block.line + line - lead : block.directiveLine ?? block.line,
    message: `${ts.flattenDiagnosticMessageText(messageText, '\n')} (TS${code})`
  }
}
