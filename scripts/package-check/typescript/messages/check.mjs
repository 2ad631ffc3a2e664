// Compiles wrong.ts with the compiler of the first argument, and compares its messages with the comments.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const [tsc] = process.argv.slice(2)
const lines = readFileSync(new URL('wrong.ts', import.meta.url), 'utf8').split('\n')
const { stdout } = spawnSync(process.execPath, [tsc, '--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext',
  '--types', 'node', '--pretty', 'false', 'wrong.ts'], { cwd: import.meta.dirname, encoding: 'utf8' })

/** The messages of the compiler, by line. */
const messages = new Map()
let line
for (const text of stdout.trim().split('\n')) {
  const [, number] = /^wrong\.ts\((\d+),\d+\): error/.exec(text) ?? (text.startsWith(' ') ? [] : fail(text))
  line = number === undefined ? line : Number(number)
  messages.set(line, `${messages.get(line) ?? ''}${text}\n`)
}

for (const [at, text] of lines.entries()) {
  const comment = lines[at - 1] ?? ''
  // A comment that is a heading has no code in the next line.
  const expected = comment.startsWith('// ') && /^(app|export)/.test(text) ? comment.slice(3) : undefined
  const message = messages.get(at + 1)
  if (message === undefined && expected !== undefined) fail(`This compiles:\n${text}`)
  if (message !== undefined && (expected === undefined || !message.includes(expected))) fail(`${comment}\nis not the message:\n${message}`)
}

function fail (message) {
  console.error(message)
  process.exit(1)
}
