// Runs the blocks that have a `run` comment, each in its own process, with the names and values of ./prelude.ts and with
// the code of the comment.
//
// In a block, https://sso.example.com/realms/acme and realms/globex are the realms of the prelude, and port 3000 is any free port. A line such as
// `await app.inject(…)   // 401 token_expired` must get that answer.
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const TIMEOUT = 60_000

/** Resolves to the problems, as { file, line, message }. `modules` are those of ./typescript.mjs. */
export async function runBlocks (root, modules) {
  // Below node_modules, so that packages are found, and nothing is linted or committed.
  const folder = join(root, 'node_modules', `.check-docs-${process.pid}`)
  mkdirSync(folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const problems = []
  for (const module of modules) {
    const { block, path } = module
    const file = join(folder, basename(path).slice(1))
    writeFileSync(file, program(root, module))
    try {
      await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root, timeout: TIMEOUT, killSignal: 'SIGKILL' })
    } catch (error) {
      problems.push({ file: block.file, ...describe(error, module, basename(file)) })
    }
  }
  rmSync(folder, { recursive: true, force: true })
  return problems
}

/** The text of the block, after one line of this script and the lines of `before`; describe() depends on the number of lines. */
function program (root, { block: { text }, before, after }) {
  const ours = { "'fastify-keycloak-bearer'": 'index.ts', "'fastify-keycloak-bearer/testing'": 'lib/testing/index.ts', "'fastify-keycloak-bearer/mcp'": 'lib/mcp/index.ts' }
  const block = text
    .replaceAll(/\bfrom ('fastify-keycloak-bearer(?:\/testing|\/mcp)?')/g, (_, name) => `from '${join(root, ours[name])}'`)
    .replaceAll("'https://sso.example.com/realms/acme'", 'realm.issuer')
    .replaceAll("'https://sso.example.com/realms/globex'", 'globex.issuer')
    .replaceAll(/\bport: 3000\b/g, 'port: 0')
    .replaceAll(/^( *)await (.+?) +\/\/ (\d{3}(?: [a-z_]+)?)\s*$/gm, '$1expectAnswer(await $2, \'$3\')')
  return `import * as prelude from '${join(root, 'scripts/check-docs/prelude.ts')}'; Object.assign(globalThis, prelude)
${before}
${block}
${after}
process.exit(0)
function expectAnswer (response, expected) {
  assert.equal(response.statusCode < 400 ? String(response.statusCode) : \`\${response.statusCode} \${response.json().code}\`.slice(0, expected.length), expected)
}
`
}

function describe ({ killed, stderr, message }, { block: { line, text, directiveLine }, lead }, name) {
  const at = Number(new RegExp(`${name.replaceAll('.', '\\.')}:(\\d+)`).exec(stderr)?.[1]) - 2 - lead
  const why = killed ? `did not end within ${TIMEOUT / 1000} s` : /^\w*Error.*(?:\n(?! +at ).*)*/m.exec(stderr)?.[0].trim() ?? message
  return { line: at >= 0 && at < text.split('\n').length ? line + at : directiveLine, message: `does not run: ${why}` }
}
