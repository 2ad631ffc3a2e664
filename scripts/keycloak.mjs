// npm run test:keycloak [-- test/keycloak/some.test.ts] [-- --version 26.4.7] [-- --reporter=terse]: runs test/keycloak with tap
// against a real Keycloak. It fetches, starts and stops the server itself, or uses the server at KEYCLOAK_URL.
//
// npm run keycloak [-- --version 26.4.7]: starts the server with a fresh realm, and leaves it running until Ctrl+C, for debugging.
//
//   --version, or KEYCLOAK_VERSION  the version of Keycloak, or `--version newest`; docs/keycloak-versions.md has those that are tested
//   --one-server                    leaves out the tests that start servers of their own, a minute or two each, as .ci/run does
//   KEYCLOAK_URL                    a running server with the realm of test/keycloak/dev-realm.json; the tests change the realm!
//   KEYCLOAK_REALM                  that realm's name, default dev
//   KEYCLOAK_ADMIN, KEYCLOAK_ADMIN_PASSWORD   default admin, admin-pw
//   KEYCLOAK_PORT, KEYCLOAK_HTTPS_PORT, KEYCLOAK_MANAGEMENT_PORT   of the server started here, default 18080, 18443 and 19000
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newestKeycloak } from './keycloak-newest.mjs'

const TESTS_TIMEOUT = 1_800_000
const FOLDER = fileURLToPath(new URL('../test/keycloak', import.meta.url))

/**
 * The tests that stop and start the server, that it must call on this machine, or whose client certificates it must trust: not
 * possible with the server at KEYCLOAK_URL.
 */
const NEED_CONTROL = ['demo.test.ts', 'logout.test.ts', 'mtls.test.ts', 'outage.test.ts', 'several-logouts.test.ts', 'setup.test.ts', 'with-features.test.ts']

/** The tests that start servers of their own, for a minute or two each: `--one-server` leaves them to the nightly run. */
const NEED_OTHER_SERVERS = ['containers.test.ts', 'with-features.test.ts']
const ONE_SERVER = '--one-server'

const given = await argumentsWithoutVersion()
// Imported here, because it reads the version when it is imported.
const { admin, answers, httpsUrl, install, KeycloakServer, signalGroup, url, version } = await import('./keycloak-server.mjs')

const realm = process.env.KEYCLOAK_REALM ?? 'dev'
const left = given.includes(ONE_SERVER) ? NEED_OTHER_SERVERS : []
const tapOptions = given.filter((argument) => argument.startsWith('-') && argument !== ONE_SERVER)
const wanted = given.filter((argument) => !argument.startsWith('-'))
const files = wanted.length > 0
  ? wanted
  : readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts') && !left.includes(name)).sort().map((name) => join(FOLDER, name))

try {
  if (tapOptions.includes('--serve')) await serve()
  else process.exitCode = process.env.KEYCLOAK_URL ? await runThere(process.env.KEYCLOAK_URL) : await runHere()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

/** The arguments for tap. `--version 26.4.7` is the same as KEYCLOAK_VERSION; `newest` is that of Maven Central. */
async function argumentsWithoutVersion () {
  const rest = process.argv.slice(2).flatMap((argument) => argument.startsWith('--version=') ? argument.split('=') : [argument])
  const at = rest.indexOf('--version')
  if (at < 0) return rest
  const [, version = ''] = rest.splice(at, 2)
  try {
    if (process.env.KEYCLOAK_URL) throw new Error('KEYCLOAK_URL is set, so the version is that of the server there: leave --version out.')
    if (!/^(newest|\d+\.\d+\.\d+)$/.test(version)) throw new Error('--version needs a version of Keycloak, such as 26.4.7, or newest.')
    process.env.KEYCLOAK_VERSION = version === 'newest' ? await newestKeycloak() : version
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
  return rest
}

/** Runs until Ctrl+C. */
async function serve () {
  const server = new KeycloakServer()
  onInterrupt(() => server.kill())
  await install()
  await server.start({ fresh: true })
  const issuer = `${url}/realms/dev`
  console.log(`
Keycloak is at ${url}, its administrator ${admin.username} with the password ${admin.password}.
The realm is ${issuer}. Its users and clients are in test/keycloak/dev-realm.json.

  a demo API on it     KEYCLOAK_ISSUER=${issuer} npm start
  a token of alice's   curl -s ${issuer}/protocol/openid-connect/token -d grant_type=password -d client_id=cli -d username=alice -d password=alice-pw
  a test               KEYCLOAK_URL=${url} npm run test:keycloak -- test/keycloak/expiry.test.ts

Ctrl+C ends it.`)
  await new Promise(() => setInterval(() => {}, 2 ** 30))
}

/** Runs the tests against the server at KEYCLOAK_URL. */
async function runThere (server) {
  const issuer = `${server.replace(/\/+$/, '')}/realms/${realm}`
  if (!await answers(issuer)) throw new Error(`KEYCLOAK_URL is set, but ${issuer} does not answer.`)
  const left = files.filter((file) => NEED_CONTROL.includes(basename(file)))
  if (left.length > 0) console.log(`Not run, because they need a server that is started here: ${left.map((file) => basename(file)).join(', ')}`)
  const others = files.filter((file) => !left.includes(file))
  if (others.length === 0) throw new Error('No test is left to run.')
  return runTests(others, { KEYCLOAK_URL: server, KEYCLOAK_REALM: realm, KEYCLOAK_ADMIN: admin.username, KEYCLOAK_ADMIN_PASSWORD: admin.password })
}

/** Runs the tests against a new server with the realm file. */
async function runHere () {
  const server = new KeycloakServer()
  const interrupted = onInterrupt(() => server.kill())
  const stopwatch = started()
  await install()
  await server.start({ fresh: true })
  console.log(`Keycloak ${version} was ready after ${stopwatch()}.`)
  const control = await openControl(server)
  try {
    return await runTests(files, {
      KEYCLOAK_URL: url,
      KEYCLOAK_HTTPS_URL: httpsUrl,
      KEYCLOAK_REALM: 'dev',
      KEYCLOAK_ADMIN: admin.username,
      KEYCLOAK_ADMIN_PASSWORD: admin.password,
      KEYCLOAK_CONTROL: control.url
    })
  } finally {
    control.close()
    await server.stop()
    interrupted.off()
  }
}

async function runTests (paths, env) {
  const stopwatch = started()
  const tap = createRequire(import.meta.url).resolve('tap/package.json').replace(/package\.json$/, 'dist/esm/run.mjs')
  const child = spawn(process.execPath, [tap, 'run', '--jobs=1', '--timeout=300', '--disable-coverage', ...tapOptions, ...paths], {
    // A process group of its own, which can be ended as a whole: tap leaves running tests behind when it is killed.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env }
  })
  const end = () => signalGroup(child.pid, 'SIGKILL')
  process.on('exit', end)
  const timer = setTimeout(() => {
    console.error(`The tests did not end within ${TESTS_TIMEOUT / 1000} s.`)
    end()
  }, TESTS_TIMEOUT)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  // A test file that ran out of time leaves the servers behind that it started.
  end()
  process.off('exit', end)
  console.log(`The tests took ${stopwatch()}.`)
  return code ?? 1
}

/**
 * Listens for the tests, which run in processes of their own and ask here to stop, kill and start the server. So the server
 * always belongs to this process, which ends it whatever happens to the tests.
 */
async function openControl (server) {
  const listener = createServer(async (request, response) => {
    const [path, features] = request.url.split('?')
    const act = { '/stop': () => server.stop(), '/kill': () => server.kill(), '/start': () => server.start({ features }) }[path]
    try {
      if (request.method !== 'POST' || act === undefined) throw new Error('POST /stop, /kill or /start')
      await act()
      response.writeHead(204).end()
    } catch (error) {
      response.writeHead(500).end(error.message)
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    close () {
      listener.close()
      listener.closeAllConnections()
    }
  }
}

/** Ends everything at Ctrl+C: the server and tap have process groups of their own, which the terminal does not reach. */
function onInterrupt (end) {
  const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
  const handler = async (signal) => {
    await end()
    process.exit(codes[signal])
  }
  for (const signal of Object.keys(codes)) process.on(signal, handler)
  return { off () { for (const signal of Object.keys(codes)) process.off(signal, handler) } }
}

function started () {
  const start = Date.now()
  return () => `${((Date.now() - start) / 1000).toFixed(1)} s`
}
