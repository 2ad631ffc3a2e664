import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { realmFor } from '../support/app.js'
import { DEMO, startDemo } from '../support/demo.js'
import { CHILD_ENV } from '../support/child-environment.js'

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
  t.same(await Promise.all(lines.map((line) => run(line.slice(line.indexOf('curl'))))), ['200', '401', '200', '403', '200', '401', '401', '200', '403', '401'])
  const document = await (await fetch(`${url}/docs/json`)).json() as { paths: Record<string, { get: { security?: unknown } }> }
  t.same(Object.entries(document.paths).map(([path, { get }]) => [path, get.security !== undefined]),
    [['/hello', false], ['/me', true], ['/profile', true], ['/documents/{owner}', true], ['/vault', true], ['/partners', true]])
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

/** What a demo that does not start complains of, and how it ends. */
async function complaint (env: Record<string, string>): Promise<string> {
  const child = spawn('sh', ['-c', DEMO], { env: { ...CHILD_ENV, PORT: '0', ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  for await (const chunk of child.stderr!) text += String(chunk)
  return `${text.trim()} (${child.exitCode ?? (await once(child, 'exit'))[0]})`
}

t.test('a port that is taken is one clear sentence', async (t) => {
  const { url } = await startDemo(t)
  const { port } = new URL(url)
  t.equal(await complaint({ PORT: port }), `Port ${port} is taken: set another one, as in PORT=3001 npm start (1)`)
})

t.test('a setting that means nothing is one clear sentence, and an empty one is none', async (t) => {
  for (const [env, sentence] of [
    [{ PORT: 'abc' }, 'PORT must be a whole number from 0 to 65535; it is "abc"'],
    [{ PORT: '65536' }, 'PORT must be a whole number from 0 to 65535; it is "65536"'],
    [{ TOKEN_LIFESPAN: '2 min' }, 'TOKEN_LIFESPAN must be a whole number from 1 to 86400; it is "2 min"'],
    [{ KEYCLOAK_ISSUER: 'sso.example.com' }, 'KEYCLOAK_ISSUER must be the full URL of a realm, such as https://sso.example.com/realms/acme; it is "sso.example.com"'],
    [{ NODE_ENV: 'production' }, 'createTestRealm() refuses to start when NODE_ENV is production: its private keys are public.']
  ] as Array<[Record<string, string>, string]>) {
    t.equal(await complaint(env), `${sentence} (1)`)
  }
  const { url } = await startDemo(t, { KEYCLOAK_ISSUER: '', TOKEN_LIFESPAN: '' })
  t.match(await (await fetch(`${url}/page.json`)).json(), { embedded: true })
})
