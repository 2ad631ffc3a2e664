// npm run check:docs: checks README, docs/ and the examples' pages. Code blocks must compile, and run if a comment demands it;
// commands, links, headings, options and error codes must exist, and each page of docs/ must be in a group of the site. CONTRIBUTING.md explains the comments before code blocks.
// Prints file:line and the problem, and ends with code 1 if there is one.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkLinks } from './check-docs/links.mjs'
import { checkNames } from './check-docs/names.mjs'
import { checkNavigation } from './check-docs/navigation.mjs'
import { readPages } from './check-docs/pages.mjs'
import { runBlocks } from './check-docs/run.mjs'
import { checkCommands } from './check-docs/shell.mjs'
import { Blocks, isScript } from './check-docs/typescript.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

const pages = readPages(ROOT)
const all = pages.flatMap(({ blocks }) => blocks)
const exempt = all.filter(({ directive }) => directive === 'no-check')
const copies = all.filter(({ directive }) => directive === 'file')
const scripts = all.filter((block) => isScript(block) && !exempt.includes(block) && !copies.includes(block))
const modules = new Blocks(ROOT, scripts)
const runnable = modules.modules.filter(({ block }) => block.directive === 'run')

const problems = [
  ...exempt.filter(({ code }) => code === '').map(({ file, directiveLine: line }) => ({ file, line, message: 'no-check needs a reason: <!-- no-check: reason -->' })),
  ...all.filter(({ language, directive }) => language === 'json' && directive !== 'no-check').flatMap(checkJson),
  ...copies.flatMap(checkCopy),
  ...modules.check(),
  ...checkCommands(ROOT, pages),
  ...checkLinks(ROOT, pages),
  ...checkNames(ROOT, pages),
  ...checkNavigation(pages)
]
// Blocks run only if all of them compile.
if (problems.length === 0) problems.push(...await runBlocks(ROOT, runnable))

for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`)
for (const { file, line, code } of exempt) console.log(`${file}:${line}: not checked: ${code}`)
console.log(`${pages.length} pages, ${scripts.length} blocks of code, ${runnable.length} of them run: ${problems.length === 0 ? 'no problems' : `${problems.length} wrong`}`)
process.exitCode = problems.length === 0 ? 0 : 1

function checkCopy ({ file, line, text, code: path }) {
  const source = join(ROOT, path)
  if (!existsSync(source)) return [{ file, line, message: `there is no ${path}` }]
  return readFileSync(source, 'utf8').includes(text) ? [] : [{ file, line, message: `${path} has not this text` }]
}

function checkJson ({ file, line, text }) {
  try {
    JSON.parse(text)
    return []
  } catch (error) {
    return [{ file, line, message: error.message }]
  }
}
