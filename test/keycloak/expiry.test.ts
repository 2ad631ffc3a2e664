// A token lives as long as its client says.
import t from 'tap'
import { api, expiry, get, introspecting, options, refused, setClientAttributes, token } from './helpers.js'

await setClientAttributes('cli', { 'access.token.lifespan': '5' })
t.teardown(() => setClientAttributes('cli', { 'access.token.lifespan': '' }))

t.test('an expired token is 401 token_expired, one that was let in before as well', async (t) => {
  const known = await api(t)
  const fresh = await api(t)
  const asking = await api(t, introspecting)
  const patient = await api(t, { ...options, leeway: 60 })
  const accessToken = await token('cli', 'alice')
  t.equal((await get(known, '/profile', accessToken)).statusCode, 200)
  t.equal((await get(asking, '/profile', accessToken)).statusCode, 200)
  await expiry(accessToken)
  refused(t, await get(known, '/profile', accessToken), 'token_expired')
  refused(t, await get(known, '/open', accessToken), 'token_expired')
  refused(t, await get(fresh, '/profile', accessToken), 'token_expired')
  refused(t, await get(asking, '/profile', accessToken), 'token_expired')
  t.equal((await get(patient, '/profile', accessToken)).statusCode, 200, 'unless leeway covers it')
})
