import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'

t.test('limits.tokenLength refuses a longer token before it is looked at', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token()
  t.equal(await ask(await apiFor(t, realm, { limits: { tokenLength: token.length } }), '/open', token), '200')
  const app = await apiFor(t, realm, { limits: { tokenLength: token.length - 1 } })
  const before = realm.requests.certs
  t.equal(await ask(app, '/open', token), NOT_VALID)
  t.equal(realm.requests.certs, before)
})

t.test('limits.tokenLength may be as large as a number can be, and costs no memory by itself', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { limits: { tokenLength: Number.MAX_SAFE_INTEGER } })
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(await ask(app, '/open', realm.token({ claims: { long: 'x'.repeat(60_000) } })), '200')
  t.equal(await ask(app, '/open', realm.token({ claims: { long: 'x'.repeat(60_000) }, forged: true })), '401 token_not_valid')
})

t.test('limits.jsonDepth refuses deeper tokens and deeper answers', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { limits: { jsonDepth: 4 }, verifyTokensWithKeycloak: true })
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(await ask(app, '/open', realm.token({ claims: { deep: [[[[]]]] } })), NOT_VALID)
  const token = realm.token()
  realm.update(token, { deep: [[[[]]]] })
  t.equal(await ask(app, '/open', token), UNAVAILABLE)
})

t.test('limits.keySetBytes and limits.introspectionBytes bound what Keycloak may send', async (t) => {
  const realm = await realmFor(t)
  realm.respond('certs', (_request, response) => { response.end(JSON.stringify({ keys: [], x: 'x'.repeat(1000) })) })
  const app = await apiFor(t, realm, { limits: { keySetBytes: 1000 } })
  t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
  t.equal(app.keycloak.health().keys.reason, 'the body has more than 1000 bytes')
  realm.respond('certs', null)
  const asking = await apiFor(t, realm, { limits: { introspectionBytes: 1000 }, verifyTokensWithKeycloak: true })
  t.equal(await ask(asking, '/open', realm.token({ claims: { x: 'x'.repeat(1000) } })), UNAVAILABLE)
  t.equal(asking.keycloak.health().introspection?.reason, 'the body has more than 1000 bytes')
})

t.test('cache.maxBytes bounds the kept tokens, the last one too', async (t) => {
  const realm = await realmFor(t)
  for (const maxBytes of [1, 20_000]) {
    const app = await apiFor(t, realm, { cache: { maxBytes } })
    const tokens = ['alice', 'bob', 'carol', 'alice'].map((username) => realm.token({ username }))
    for (const token of [...tokens, ...tokens]) t.equal(await ask(app, '/open', token), '200')
  }
})
