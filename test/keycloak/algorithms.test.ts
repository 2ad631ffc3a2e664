// What else a client may have its tokens signed with, and what it may call them.
import t from 'tap'
import { addKey, api, decode, get, introspecting, keyProviders, options, refused, removeKey, setClientAttributes, token } from './helpers.js'

const SIGNED_WITH = 'access.token.signed.response.alg'
const AT_JWT = 'access.token.header.type.rfc9068'

for (const algorithm of ['ES256', 'PS256', 'EdDSA'] as const) {
  t.test(`${algorithm} is let in where it is allowed, and nowhere else`, async (t) => {
    const key = await addKey(keyProviders[algorithm])
    t.teardown(() => removeKey(key))
    const rs256 = await token('cli', 'alice')
    await setClientAttributes('cli', { [SIGNED_WITH]: algorithm })
    t.teardown(() => setClientAttributes('cli', { [SIGNED_WITH]: '' }))
    const accessToken = await token('cli', 'alice')
    t.equal(decode(accessToken).header.alg, algorithm)

    const alone = await api(t, { ...options, algorithms: algorithm })
    t.equal((await get(alone, '/profile', accessToken)).statusCode, 200)
    refused(t, await get(alone, '/profile', rs256), 'token_not_valid')

    const both = await api(t, { ...options, algorithms: ['RS256', algorithm] })
    t.equal((await get(both, '/profile', accessToken)).statusCode, 200)
    t.equal((await get(both, '/profile', rs256)).statusCode, 200)

    const asking = await api(t, { ...introspecting, algorithms: algorithm })
    t.equal((await get(asking, '/profile', accessToken)).statusCode, 200)

    refused(t, await get(await api(t), '/profile', accessToken), 'token_not_valid')
  })
}

t.test('a token that calls itself at+jwt (RFC 9068) is let in', async (t) => {
  await setClientAttributes('cli', { [AT_JWT]: 'true' })
  t.teardown(() => setClientAttributes('cli', { [AT_JWT]: '' }))
  const accessToken = await token('cli', 'alice')
  t.equal(decode(accessToken).header.typ, 'at+jwt')
  t.equal((await get(await api(t), '/profile', accessToken)).statusCode, 200)
  t.equal((await get(await api(t, introspecting), '/profile', accessToken)).statusCode, 200)
})
