// New keys and lost ones.
import t from 'tap'
import { addKey, api, decode, get, introspecting, keyProviders, options, pause, refused, removeKey, token } from './helpers.js'

t.test('a token of a new key is let in at its first request', async (t) => {
  const app = await api(t)
  const asking = await api(t, introspecting)
  const before = await token('cli', 'alice')
  t.equal((await get(app, '/profile', before)).statusCode, 200)
  t.equal((await get(asking, '/profile', before)).statusCode, 200)

  const key = await addKey(keyProviders.RS256)
  t.teardown(() => removeKey(key))
  const after = await token('cli', 'alice')
  t.not(decode(after).header.kid, decode(before).header.kid)
  t.equal((await get(app, '/profile', after)).statusCode, 200)
  t.equal((await get(asking, '/profile', after)).statusCode, 200)
  t.equal((await get(app, '/profile', before)).statusCode, 200, 'the key before is not forgotten')
})

t.test('a crowd that comes with a new key is let in as one', async (t) => {
  const app = await api(t)
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200)
  const key = await addKey(keyProviders.RS256)
  t.teardown(() => removeKey(key))
  const tokens = await Promise.all(['alice', 'bob', 'carol', 'alice'].map((user) => token('cli', user as 'alice')))
  const answers = await Promise.all(tokens.map((accessToken) => get(app, '/me', accessToken)))
  t.strictSame(answers.map(({ statusCode }) => statusCode), [200, 200, 200, 200])
})

t.test('a token of a key that was removed is 401 once the keys were fetched anew', async (t) => {
  const maxAge = 1000
  const app = await api(t, { ...options, jwks: { maxAge } })
  const key = await addKey(keyProviders.RS256)
  t.teardown(() => removeKey(key))
  const lost = await token('cli', 'alice')
  t.equal((await get(app, '/profile', lost)).statusCode, 200)

  await removeKey(key)
  await pause(maxAge + 200)
  refused(t, await get(app, '/profile', lost), 'token_not_valid')
  refused(t, await get(await api(t), '/profile', lost), 'token_not_valid')
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200, 'the keys that stay are trusted')
})
