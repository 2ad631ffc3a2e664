// The realm file of the page "Set up Keycloak", and the lines that a reader pastes to try it.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { addRealm, base, get, refused } from './helpers.js'
import { pageApi, read, realmFor, runScript, tokenOf } from './setup.js'

const realm = realmFor(t)
// Keycloak puts the name of the realm into that of the role with the default roles.
const file = read('examples/setup-keycloak/realm.json').replaceAll('"default-roles-acme"', `"default-roles-${realm}"`)
await addRealm({ ...JSON.parse(file), realm })

t.test('alice has the role, and bob has not', async (t) => {
  const app = await pageApi(t, realm)
  t.equal((await get(app, '/profile', await tokenOf(realm, 'alice'))).statusCode, 200)
  refused(t, await get(app, '/profile', await tokenOf(realm, 'bob')), 'permission_denied')
})

t.test('both users may have offline tokens, as the clients of MCP ask for them', async (t) => {
  for (const username of ['alice', 'bob'] as const) t.ok(await tokenOf(realm, username, { scope: 'openid offline_access' }), username)
})

for (const page of ['README.md', 'docs/setup-keycloak.md']) {
  t.test(`the curl lines of ${page} are answered 200, or by the status that they name`, async (t) => {
    const app = await pageApi(t, realm)
    const block = /```sh\n(TOKEN=[^]*?)```/.exec(read(page))![1]!
    const script = block
      .replaceAll('http://localhost:8080/realms/acme', `${base}/realms/${realm}`)
      .replaceAll('http://localhost:3000', app.url)
      .replaceAll('curl -i', 'curl -s -o /dev/null -w "%{http_code}\\n"')
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { timeout: 30_000 })
    t.same(stdout.trim().split('\n'), [...block.matchAll(/^curl -i.*?(?:# (\d{3}).*)?$/gm)].map(([, status = '200']) => status))
  })
}

t.test('the script adds to it what a file cannot have', async (t) => {
  const { code, lines } = await runScript({ KEYCLOAK_REALM: realm, API_URL: 'http://host.docker.internal:3000', GRANT_TO: 'alice', TRY_PASSWORD: 'alice-pw' })
  t.equal(code, 0)
  t.same(lines.filter((line) => line.startsWith('added')).map((line) => line.slice(8)), [
    'client scope "reports:read"', 'scope "reports:read" of client "web"', 'client "worker"', 'mapper "audience api" of client "worker"',
    'role "read-profile" of user "service-account-worker"', 'scope "reports:read" of client "cli"'
  ])
  const app = await pageApi(t, realm)
  t.equal((await get(app, '/reports', await tokenOf(realm, 'bob', { scope: 'openid reports:read' }))).statusCode, 200)
})
