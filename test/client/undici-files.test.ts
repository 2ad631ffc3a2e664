// The first call to Keycloak loads two classes of undici and not the rest, which takes five times as long.
import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'
import { loadedFiles } from '../support/loaded-files.js'

t.test('the first call to Keycloak loads a pool of undici, and a start loads nothing of it', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { startCheck: 'warn' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.same(loadedFiles('undici'), [])
  t.equal(await ask(app, '/me', realm.token()), '200')
  const files = loadedFiles('undici')
  for (const file of ['lib/dispatcher/client.js', 'lib/dispatcher/pool.js']) t.ok(files.includes(file), file)
  for (const file of ['index.js', 'lib/dispatcher/agent.js', 'lib/web/fetch/index.js']) t.notOk(files.includes(file), file)
  t.ok(files.length < 40, `${files.length} files`)
})
