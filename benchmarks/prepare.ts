// What the benchmarks need is installed and built when it is not there, or is older than its sources.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { here, root } from './paths.js'

export function prepare (): void {
  const installed = here('node_modules/.package-lock.json')
  if (!existsSync(installed) || changed(installed) < changed(here('package-lock.json'))) run('npm', ['ci', '--no-audit', '--no-fund'], here(''))
  const built = join(root, 'dist/esm/package.json')
  const sources = ['index.ts', 'lib', 'types', 'package.json', 'tsconfig.json'].map((name) => join(root, name))
  if (!existsSync(built) || sources.some((source) => newest(source) > changed(built))) run('npm', ['run', '--silent', 'build'], root)
}

function run (command: string, parameters: string[], folder: string): void {
  console.log(`${command} ${parameters.join(' ')}`)
  const { status } = spawnSync(command, parameters, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with ${status}`)
}

function changed (file: string): number {
  return statSync(file).mtimeMs
}

function newest (path: string): number {
  if (!statSync(path).isDirectory()) return changed(path)
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}
