// A start is quick because it loads nothing that verifies a token; the first fetch of keys does, while it waits for Keycloak.
import t from 'tap'
import { apiFor, ask, realmFor, until } from '../support/app.js'
import { loadedFiles } from '../support/loaded-files.js'

const PACKAGES = ['fast-jwt', 'get-jwks']
const loaded = (): string[] => PACKAGES.filter((name) => loadedFiles(name).length > 0)

t.test('fast-jwt and get-jwks are loaded while Keycloak answers the first question for keys, and not at start', async (t) => {
  const realm = await realmFor(t)
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  let sent = false
  realm.respond('certs', async (_request, response) => {
    sent = true
    await until(() => loaded().length === PACKAGES.length)
    response.end(keys)
  })
  const app = await apiFor(t, realm)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal(await ask(app, '/open'), '200')
  t.same(loaded(), [])
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.ok(sent)
  t.same(loaded(), PACKAGES)
})
