// Starts the services of examples/containers/compose.yaml from packages: Keycloak, PostgreSQL and nginx from their distributions,
// and the API by Node. Each of them ends with the test.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import type { Test } from 'tap'
import { home, install } from '../../scripts/keycloak-server.mjs'
import { startPostgres } from '../../scripts/postgres.mjs'
import { CHILD_ENV } from '../support/child-environment.js'
import { type Compose, readCompose } from './compose.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/containers')

/** Where the containers listen, and what they call. */
const ADDRESSES = [
  ['8443'], ['keycloak:8080'], ['api:3000', '127.0.0.1:3000'], ['127.0.0.1/9000'], ['postgres:5432']
]

/** A service that runs. */
interface Running { child: ChildProcess, said: string }

export interface Containers extends Compose {
  /** The certificate by which the proxy proves both names. */
  ca: string
  folder: string
  /** The blocks of commands in the example's README, which are run in `folder`. */
  commands: string[]
  postgres (): Promise<void>
  keycloak (): Promise<Running>
  api (): Promise<Running>
  proxy (): Promise<Running>
}

/** The example in a folder of its own, prepared by the first commands of its README. */
export async function containers (t: Test): Promise<Containers> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'containers-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  cpSync(EXAMPLE, folder, { recursive: true })
  const commands = [...readFileSync(join(EXAMPLE, 'README.md'), 'utf8').matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!)
  execFileSync('sh', ['-e', '-c', commands[0]!], { cwd: folder, stdio: 'ignore' })
  const compose = await readCompose(join(folder, 'compose.yaml'), parseEnv(readFileSync(join(folder, '.env'), 'utf8')), ADDRESSES)
  return {
    ...compose,
    folder,
    commands,
    ca: readFileSync(join(folder, 'certificates/tls.crt'), 'utf8'),
    postgres: () => postgres(t, compose),
    keycloak: () => keycloak(t, compose, folder),
    api: async () => api(t, compose, folder),
    proxy: async () => proxy(t, compose, folder)
  }
}

async function postgres (t: Test, { services, port }: Compose): Promise<void> {
  const { POSTGRES_USER: user, POSTGRES_DB: database, POSTGRES_PASSWORD: password } = services.postgres!.environment
  const { stop } = await startPostgres({ user, database, password, port: port('postgres:5432') })
  t.teardown(stop)
}

/** A copy of the distribution, because the options of its build are others than those of the server of all tests. */
async function keycloak (t: Test, { services, here, port }: Compose, folder: string): Promise<Running> {
  await install()
  const { command, environment, volumes } = services.keycloak!
  const copy = join(folder, 'keycloak')
  cpSync(home, copy, { recursive: true, filter: (path) => path !== join(home, 'data') })
  for (const volume of volumes) {
    const [from, to] = volume.split(':')
    const target = join(folder, to!.replace(/^\/opt\//, ''))
    mkdirSync(join(target, '..'), { recursive: true })
    writeFileSync(target, here(readFileSync(join(folder, from!), 'utf8')))
  }
  return start(t, join(copy, 'bin/kc.sh'), command!, {
    cwd: copy,
    env: {
      ...CHILD_ENV,
      ...environment,
      // A server that lives for a minute is not worth the second compiler.
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      KC_HTTP_HOST: '127.0.0.1',
      KC_HTTP_PORT: String(port('keycloak:8080')),
      KC_HTTP_MANAGEMENT_HOST: '127.0.0.1',
      KC_HTTP_MANAGEMENT_PORT: String(port('127.0.0.1/9000'))
    }
  })
}

/** The sources of this package take the place of the published package, by tsx. */
function api (t: Test, { services, port }: Compose, folder: string): Running {
  const cwd = join(folder, 'api')
  const [, command] = /^CMD (\[.*\])$/m.exec(readFileSync(join(cwd, 'Dockerfile'), 'utf8'))!
  const [program, ...args] = JSON.parse(command!)
  const ours = join(cwd, 'node_modules/fastify-keycloak-bearer')
  mkdirSync(ours, { recursive: true })
  symlinkSync(join(ROOT, 'node_modules/fastify'), join(cwd, 'node_modules/fastify'))
  writeFileSync(join(ours, 'package.json'), '{ "type": "module", "exports": "./index.js" }')
  writeFileSync(join(ours, 'index.js'), `export { default } from ${JSON.stringify(join(ROOT, 'index.ts'))}\n`)
  if (program !== 'node') throw new Error(`The Dockerfile starts ${program}.`)
  return start(t, process.execPath, ['--import', join(ROOT, 'node_modules/tsx/dist/loader.mjs'), ...args], {
    cwd,
    env: { ...CHILD_ENV, NODE_OPTIONS: '', ...services.api!.environment, HOST: '127.0.0.1', PORT: String(port('api:3000')) }
  })
}

/** nginx with the file that the image would include. */
function proxy (t: Test, { here }: Compose, folder: string): Running {
  const own = join(folder, 'nginx')
  mkdirSync(own)
  writeFileSync(join(own, 'default.conf'), here(readFileSync(join(folder, 'proxy.conf'), 'utf8')).replaceAll('listen ', 'listen 127.0.0.1:'))
  cpSync(join(folder, 'certificates'), join(own, 'certificates'), { recursive: true })
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(own, name)};`).join(' ')
  writeFileSync(join(own, 'nginx.conf'), `events {}\nhttp { ${paths} access_log off; include default.conf; }\n`)
  return start(t, 'nginx', ['-p', own, '-c', join(own, 'nginx.conf'), '-e', 'stderr', '-g', `daemon off; pid ${join(own, 'pid')};`], { cwd: own, env: process.env })
}

function start (t: Test, program: string, args: string[], { cwd, env }: { cwd: string, env: NodeJS.ProcessEnv }): Running {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const running = { child, said: '' }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { running.said += text })
  child.on('error', (error) => { running.said += error.message })
  t.teardown(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill()
    await gone
  })
  return running
}
