// Fetches a real Keycloak from Maven once, and starts and stops it on this machine for the tests of test/keycloak. The server
// is in .keycloak/, listens on the loopback interface only, and keeps its data in a file, so that keys and users outlive a
// restart.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export const version = process.env.KEYCLOAK_VERSION ?? '26.7.3'
const PORT = port('KEYCLOAK_PORT', 18080)
const HTTPS_PORT = port('KEYCLOAK_HTTPS_PORT', 18443)
const MANAGEMENT_PORT = port('KEYCLOAK_MANAGEMENT_PORT', 19000)

const ROOT = fileURLToPath(new URL('../.keycloak', import.meta.url))
/** The folder of the distribution, once it is installed. */
export const home = join(ROOT, `keycloak-${version}`)
const KC = join(home, 'bin', 'kc.sh')
const LOG = join(ROOT, 'keycloak.log')
const PID_FILE = join(ROOT, 'keycloak.pid')
const REALM_FILE = fileURLToPath(new URL('../test/keycloak/dev-realm.json', import.meta.url))
const CERTIFICATES = fileURLToPath(new URL('../test/support/certificates', import.meta.url))
const CLIENT_CERTIFICATES = join(ROOT, 'clients.pem')

const FETCH_TIMEOUT = 600_000
const UNPACK_TIMEOUT = 120_000
const START_TIMEOUT = 300_000
const STOP_TIMEOUT = 15_000

/** The address of the server, as tokens have it in `iss`; it listens on 127.0.0.1. */
export const url = `http://localhost:${PORT}`

/** The same server by TLS, which asks for a client certificate; for logins that bind their tokens to one. */
export const httpsUrl = `https://127.0.0.1:${HTTPS_PORT}`

/** The administrator of the master realm, made at the first start. */
export const admin = {
  username: process.env.KEYCLOAK_ADMIN ?? 'admin',
  password: process.env.KEYCLOAK_ADMIN_PASSWORD ?? 'admin-pw'
}

/** Fetches and unpacks Keycloak unless it is there already. */
export async function install () {
  if (existsSync(KC)) return
  const download = join(ROOT, 'download')
  rmSync(download, { recursive: true, force: true })
  mkdirSync(download, { recursive: true })
  await fetchZip(download)
  await unpack(join(download, `keycloak-quarkus-dist-${version}.zip`), download)
  chmodSync(join(download, `keycloak-${version}`, 'bin', 'kc.sh'), 0o755)
  renameSync(join(download, `keycloak-${version}`), home)
  rmSync(download, { recursive: true, force: true })
}

async function fetchZip (folder) {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`
  const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]
  try {
    await execute('mvn', args, { cwd: folder, timeout: FETCH_TIMEOUT })
  } catch (error) {
    if (error.code === 'ENOENT') {
      throw new Error('Keycloak is fetched with Maven, and there is no "mvn" in PATH: install Maven, or set KEYCLOAK_URL to a running server.')
    }
    const reason = error.killed ? `no end within ${FETCH_TIMEOUT / 1000} s` : /ERROR\S* (.*)/.exec(error.stdout)?.[1]
    throw new Error(`Maven could not fetch ${artifact}: ${reason ?? error.message}`)
  }
}

async function unpack (zip, folder) {
  const tools = [
    ['unzip', '-q', zip],
    ['jar', 'xf', zip],
    ['python3', '-m', 'zipfile', '-e', zip, '.']
  ]
  for (const [tool, ...args] of tools) {
    try {
      await execute(tool, args, { cwd: folder, timeout: UNPACK_TIMEOUT })
      return
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  throw new Error('Keycloak comes as a zip file, and none of unzip, jar and python3 is in PATH: install one of them.')
}

/** One server, started and stopped as often as a test needs. Only the process that started it can stop it. */
export class KeycloakServer {
  #process = null

  constructor () {
    // The last resort: the server ends with this process, however that ends.
    process.on('exit', () => this.#signal('SIGKILL'))
  }

  /**
   * Starts the server and waits until it is ready. A running server is not restarted.
   * @param {{ fresh?: boolean, features?: string }} [options] `fresh`: from the realm file, not with the data of the last start;
   *   `features`: experimental ones, separated by commas
   */
  async start ({ fresh = false, features = '' } = {}) {
    if (this.#process !== null) return
    await checkJava()
    await endLeftover()
    await checkPort(PORT, 'KEYCLOAK_PORT')
    await checkPort(HTTPS_PORT, 'KEYCLOAK_HTTPS_PORT')
    await checkPort(MANAGEMENT_PORT, 'KEYCLOAK_MANAGEMENT_PORT')
    if (fresh) reset()
    this.#spawn(features)
    try {
      await this.#ready()
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** Asks the server to end, and ends it after 15 seconds. */
  async stop () {
    await this.#end('SIGTERM')
  }

  /** Ends the server as a crash would. */
  async kill () {
    await this.#end('SIGKILL')
  }

  #spawn (features) {
    const log = openSync(LOG, 'a')
    const child = spawn(KC, [
      'start-dev', '--db=dev-file', '--cache=local', '--import-realm',
      '--http-host=127.0.0.1', `--http-port=${PORT}`, `--hostname=${url}`,
      '--health-enabled=true', `--http-management-port=${MANAGEMENT_PORT}`, '--http-management-scheme=http',
      ...features === '' ? [] : [`--features=${features}`],
      ...httpsOptions()
    ], {
      // A process group of its own: kc.sh starts java, and a Ctrl-C in the terminal is for the caller to handle.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, KC_BOOTSTRAP_ADMIN_USERNAME: admin.username, KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password }
    })
    closeSync(log)
    child.on('error', () => {})
    child.on('exit', () => {
      this.#signal('SIGKILL')
      this.#process = null
      rmSync(PID_FILE, { force: true })
    })
    if (child.pid === undefined) throw new Error(`${KC} could not be started.`)
    writeFileSync(PID_FILE, String(child.pid))
    this.#process = child
  }

  async #ready () {
    const deadline = Date.now() + START_TIMEOUT
    while (Date.now() < deadline) {
      if (this.#process === null) throw new Error(`Keycloak ended while it started. The end of ${LOG}:\n${tail()}`)
      if (await answers(`http://127.0.0.1:${MANAGEMENT_PORT}/health/ready`)) return
      await sleep(250)
    }
    throw new Error(`Keycloak was not ready within ${START_TIMEOUT / 1000} s. The end of ${LOG}:\n${tail()}`)
  }

  async #end (signal) {
    const child = this.#process
    if (child === null) return
    const gone = once(child, 'exit')
    const timer = setTimeout(() => this.#signal('SIGKILL'), STOP_TIMEOUT)
    this.#signal(signal)
    await gone
    clearTimeout(timer)
  }

  #signal (signal) {
    if (this.#process !== null) signalGroup(this.#process.pid, signal)
  }
}

/** Does the address answer 200 within two seconds? */
export async function answers (address) {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

/** The next start begins with the realm file and an empty log. */
function reset () {
  rmSync(join(home, 'data', 'h2'), { recursive: true, force: true })
  mkdirSync(join(home, 'data', 'import'), { recursive: true })
  copyFileSync(REALM_FILE, join(home, 'data', 'import', 'dev-realm.json'))
  writeFileSync(LOG, '')
}

/** TLS with the certificates of the tests. A client certificate is asked for, and no login needs one. */
function httpsOptions () {
  const clients = ['client-a.crt', 'client-b.crt', 'client-c.crt'].map((name) => readFileSync(join(CERTIFICATES, name), 'utf8'))
  writeFileSync(CLIENT_CERTIFICATES, clients.join(''))
  return [
    `--https-port=${HTTPS_PORT}`, '--https-client-auth=request', `--https-trust-store-file=${CLIENT_CERTIFICATES}`,
    `--https-certificate-file=${join(CERTIFICATES, 'server.crt')}`, `--https-certificate-key-file=${join(CERTIFICATES, 'server.key')}`
  ]
}

async function checkJava () {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java'
  let release = 0
  try {
    const { stderr } = await execute(java, ['-version'], { timeout: 30_000 })
    release = Number(/version "(\d+)/.exec(stderr)?.[1])
  } catch {}
  if (release >= 17) return
  throw new Error(`Keycloak needs Java 17 or later, and "${java}" is ${release > 0 ? 'older' : 'not there'}: install it, or set KEYCLOAK_URL to a running server.`)
}

async function checkPort (number, variable) {
  const probe = createServer()
  probe.listen(number, '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch {
    throw new Error(`Keycloak needs port ${number} of 127.0.0.1, which is taken: set ${variable} to a free one.`)
  }
  probe.close()
  await once(probe, 'close')
}

/** Ends the server that a killed run left behind, and nothing else. */
async function endLeftover () {
  if (!existsSync(PID_FILE)) return
  const pid = Number(readFileSync(PID_FILE, 'utf8'))
  for (let waited = 0; isOurs(pid) && waited < STOP_TIMEOUT; waited += 100) {
    signalGroup(pid, 'SIGKILL')
    await sleep(100)
  }
  rmSync(PID_FILE, { force: true })
}

function isOurs (pid) {
  if (!Number.isInteger(pid) || pid <= 1) return false
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 }).includes(home)
  } catch {
    return false
  }
}

/** Sends a signal to every process of the group that `pid` leads. A group without processes is no error. */
export function signalGroup (pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function tail () {
  return readFileSync(LOG, 'utf8').split('\n').slice(-20).join('\n')
}

function port (variable, fallback) {
  const number = Number(process.env[variable] ?? fallback)
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number
  throw new Error(`${variable} must be a port number.`)
}
