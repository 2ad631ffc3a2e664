// The runtimes on which the package must work; the npm registry has their binaries.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const { platform, arch } = process
const node = `npm:node-${platform}-${arch}`

/** Dependencies of the folder that the checks run in. */
export const RUNTIMES = platform === 'linux' && ['x64', 'arm64'].includes(arch)
  ? {
      'node-20': `${node}@~20.19.0`,
      'node-22': `${node}@^22.0.0`,
      'node-24': `${node}@^24.0.0`,
      'node-newest': `${node}@latest`,
      bun: `npm:@oven/bun-linux-${arch === 'x64' ? 'x64' : 'aarch64'}@^1.4.5`,
      deno: `npm:@deno/linux-${arch}-glibc@^2.9.0`
    }
  : {}

const COMMANDS = {
  bun: ['bin/bun', 'run'],
  deno: ['deno', 'run', '--allow-all']
}

/** Each project on each runtime, as [name, command, ...arguments]. */
export function runs (folder, projects) {
  return Object.keys(RUNTIMES).flatMap((runtime) => {
    const [binary, ...args] = COMMANDS[runtime] ?? ['bin/node']
    const home = join(folder, 'node_modules', runtime)
    if (!existsSync(join(home, binary))) throw new Error(`${runtime} was not installed: ${join(home, binary)} is missing`)
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    return projects.map((project) => [`${runtime.replace(/-.*/, '')} ${version}, ${project}`, join(home, binary), ...args, project])
  })
}
