// The Node under the servers that are measured, whatever Node runs the benchmarks: one of those that benchmarks/package.json brings
// from npm, or any other by its path.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { here } from './processes.js'

/** The versions of Node from npm. */
export const NODES = ['20', '24', '26'] as const

/** The version whose figures the docs show: the active LTS. */
export const DEFAULT_NODE = '24'

/** The option of the command line for `parseArgs`. */
export const NODE_OPTION = { node: { type: 'string', default: DEFAULT_NODE } } as const

let chosen: string | undefined

/** Makes all later servers run on a Node. */
export function runServersOn (name: string): void {
  chosen = nodeNamed(name)
}

/** The path of the Node under the servers. */
export function serverNode (): string {
  return (chosen ??= nodeNamed(DEFAULT_NODE))
}

/**
 * @param name one of {@link NODES}, or a path
 * @returns the path of the binary
 * @throws {Error} if there is no such binary
 */
export function nodeNamed (name: string): string {
  const isVersion = (NODES as readonly string[]).includes(name)
  const path = isVersion ? here(`node_modules/node-${name}-${process.platform}-${process.arch}/bin/node`) : resolve(name)
  if (existsSync(path)) return path
  throw new Error(isVersion
    ? `benchmarks/ has no Node ${name} for ${process.platform} on ${process.arch}: \`npm ci\` in benchmarks/ installs it on Linux; elsewhere give the path of a Node by --node PATH`
    : `--node: there is no file ${name}; give one of ${NODES.join(', ')}, or the path of a Node`)
}

/** The exact version, such as 24.22.3. */
export function versionOf (path: string): string {
  const { status, stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${path} is no Node that runs here`)
  return stdout.trim()
}
