import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { realmFor } from './support/app.js'
import { DEMO, startDemo } from './support/demo.js'

/** The curl lines it printed: the status of each, run as they are. */
async function run (line: string): Promise<string> {
  const shell = spawn('sh', ['-c', line.replace('curl -i', 'curl -s -o /dev/null -w "%{http_code}"')])
  let status = ''
  for await (const chunk of shell.stdout) status += String(chunk)
  return status
}

t.test('the demo prints curl lines that answer as they say', async (t) => {
  const { child, said, url } = await startDemo(t)
  const lines = said.split('\n').filter((line) => line.includes('curl -i'))
  t.same(await Promise.all(lines.map((line) => run(line.slice(line.indexOf('curl'))))), ['200', '401', '200', '403', '200', '401', '401'])
  const document = await (await fetch(`${url}/docs/json`)).json() as { paths: Record<string, { get: { security?: unknown } }> }
  t.same(Object.entries(document.paths).map(([path, { get }]) => [path, get.security !== undefined]),
    [['/hello', false], ['/me', true], ['/profile', true], ['/documents/{owner}', true]])
  t.equal((await fetch(`${url}/token/mallory`)).status, 404)
  child.kill()
  t.same(await once(child, 'exit'), [0, null], 'and it ends when asked to')
})

t.test('the demo runs on a realm of yours', async (t) => {
  const realm = await realmFor(t)
  const get = async (url: string, token: string) => (await fetch(`${url}/profile`, { headers: { authorization: `Bearer ${token}` } })).status
  const token = realm.token({ roles: ['read-profile'] })
  const local = await startDemo(t, { KEYCLOAK_ISSUER: realm.issuer })
  const introspecting = await startDemo(t, { KEYCLOAK_ISSUER: realm.issuer, KEYCLOAK_CLIENT_SECRET: 'test-secret', KEYCLOAK_AUDIENCE: 'account' })
  realm.revoke(token)
  t.equal(await get(local.url, token), 200)
  t.equal(await get(introspecting.url, token), 401)
  t.match(await (await fetch(`${local.url}/page.json`)).json(), { issuer: realm.issuer, clientId: 'web', embedded: false })
  for (const path of ['/controls', '/token/alice']) t.equal((await fetch(`${local.url}${path}`)).status, 404, 'what breaks or opens a realm is not there')
  t.equal((await fetch(`${local.url}/controls/down`, { method: 'POST', headers: { origin: local.url } })).status, 404)
})

t.test('a port that is taken is one clear sentence', async (t) => {
  const { url } = await startDemo(t)
  const { port } = new URL(url)
  const child = spawn('sh', ['-c', DEMO], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  for await (const chunk of child.stderr!) complaint += String(chunk)
  t.match(complaint, new RegExp(`Port ${port} is taken: set another one`))
})
