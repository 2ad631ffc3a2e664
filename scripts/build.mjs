// Builds dist/ twice, as ES modules and as CommonJS, by two passes of tsc. Each folder carries the
// package.json that tells Node (and TypeScript) which of the two its .js and .d.ts files are.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('dist', { recursive: true, force: true })
for (const [format, type] of [['esm', 'module'], ['cjs', 'commonjs']]) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', `tsconfig.${format}.json`], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  mkdirSync(`dist/${format}`, { recursive: true })
  writeFileSync(`dist/${format}/package.json`, JSON.stringify({ type, sideEffects: false }) + '\n')
}
