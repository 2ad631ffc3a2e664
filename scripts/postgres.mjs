// Starts an installed PostgreSQL for one check: on a port of 127.0.0.1, in a temporary folder that is deleted afterwards,
// with a password.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const START_TIMEOUT = 60_000

/**
 * @param {object} [options] `user` may do everything, and owns `database`; the defaults are `postgres`, a random password and a free port
 * @returns {Promise<{ url: string, stop: () => void }>} `stop` ends the server at once and deletes its data.
 */
export async function startPostgres ({ user = 'postgres', database = 'postgres', password = randomBytes(16).toString('hex'), port } = {}) {
  const bin = installed()
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const [data, secret] = [join(folder, 'data'), join(folder, 'password')]
  port ??= await freePort()
  writeFileSync(secret, password, { mode: 0o600 })
  const as = { ...unprivileged(folder, secret), cwd: folder }
  let server
  const stop = () => {
    server?.kill('SIGQUIT')
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  try {
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', user, '--auth=scram-sha-256', `--pwfile=${secret}`, '--encoding=UTF8', '--no-locale', '--no-sync'],
      { ...as, stdio: ['ignore', 'ignore', 'pipe'] })
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off' }
    server = spawn(join(bin, 'postgres'), ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...as, stdio: ['ignore', 'ignore', 'pipe'] })
    await ready(server)
    if (database !== 'postgres') {
      execFileSync(join(bin, 'createdb'), ['-h', '127.0.0.1', '-p', String(port), '-U', user, database], { ...as, env: { ...process.env, PGPASSWORD: password } })
    }
  } catch (error) {
    stop()
    throw error
  }
  return { url: `postgres://${user}:${password}@127.0.0.1:${port}/${database}`, stop }
}

function installed () {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...process.env.PATH.split(delimiter)]
  const bin = folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
  if (bin === undefined) {
    throw new Error('PostgreSQL is not installed: install it (on Debian apt-get install postgresql), or name a database by DATABASE_URL.')
  }
  return bin
}

/** PostgreSQL refuses to run as root, so root gives the files to the user `postgres`, which the package made. */
function unprivileged (...files) {
  if (process.getuid() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])))
  for (const file of files) chownSync(file, uid, gid)
  return { uid, gid }
}

async function ready (server) {
  const signal = AbortSignal.timeout(START_TIMEOUT)
  let said = ''
  server.stderr.setEncoding('utf8').on('data', (text) => { said += text })
  while (!said.includes('ready to accept connections')) {
    await Promise.race([once(server.stderr, 'data', { signal }), once(server, 'close', { signal })])
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${said}`)
  }
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
