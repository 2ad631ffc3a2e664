import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { realmFor } from './support/app.js'

/** Without the hooks of the test runner, which would mistake the lines of another transpiler for its own. */
const DEMO = 'unset NODE_OPTIONS; exec node --import tsx examples/demo/server.ts'

/** Start the demo and wait until it has said what it says. */
async function start (t: Test, env: Record<string, string> = {}): Promise<{ child: ChildProcess, said: string }> {
  const child = spawn('sh', ['-c', DEMO], { env: { ...process.env, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill() })
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    if (said.includes('Ctrl+C')) break
  }
  return { child, said }
}

/** The curl lines it printed: the status of each, run as they are. */
async function run (line: string): Promise<string> {
  const shell = spawn('sh', ['-c', line.replace('curl -i', 'curl -s -o /dev/null -w "%{http_code}"')])
  let status = ''
  for await (const chunk of shell.stdout) status += String(chunk)
  return status
}

t.test('the demo prints curl lines that answer as they say', async (t) => {
  const { child, said } = await start(t)
  const lines = said.split('\n').filter((line) => line.includes('curl -i'))
  t.same(await Promise.all(lines.map((line) => run(line.slice(line.indexOf('curl'))))), ['200', '401', '200', '403', '200', '401'])
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said)!
  const document = await (await fetch(`${url}/docs/json`)).json() as { paths: Record<string, { get: { security?: unknown } }> }
  t.same(Object.entries(document.paths).map(([path, { get }]) => [path, get.security !== undefined]),
    [['/hello', false], ['/me', true], ['/profile', true], ['/documents/{owner}', true]])
  t.equal((await fetch(`${url}/token/mallory`)).status, 404)
  child.kill()
  t.same(await once(child, 'exit'), [0, null], 'and it ends when asked to')
})

t.test('the demo runs on a realm of yours', async (t) => {
  const realm = await realmFor(t)
  const get = async (said: string, token: string) =>
    (await fetch(`${/http:\/\/127\.0\.0\.1:\d+/.exec(said)![0]}/profile`, { headers: { authorization: `Bearer ${token}` } })).status
  const token = realm.token({ roles: ['view-profile'] })
  const local = await start(t, { KEYCLOAK_ISSUER: realm.issuer })
  const introspecting = await start(t, { KEYCLOAK_ISSUER: realm.issuer, KEYCLOAK_CLIENT_SECRET: 'test-secret', KEYCLOAK_AUDIENCE: 'account' })
  realm.revoke(token)
  t.equal(await get(local.said, token), 200)
  t.equal(await get(introspecting.said, token), 401)
})

t.test('a port that is taken is one clear sentence', async (t) => {
  const { said } = await start(t)
  const [port] = /\d+(?=, its documentation)/.exec(said)!
  const child = spawn('sh', ['-c', DEMO], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  for await (const chunk of child.stderr!) complaint += String(chunk)
  t.match(complaint, new RegExp(`Port ${port} is taken: set another one`))
})
