// The checks that an API may add to every token: the client that it was issued to, its age, its type.
import t from 'tap'
import { accessRealm, API } from './access-realm.js'
import { api, decode, get, refused } from './helpers.js'

const realm = await accessRealm(t)
const options = { issuer: realm.issuer, ...API }

t.test('authorizedParties admits the tokens of these clients alone', async (t) => {
  const app = await api(t, { ...options, authorizedParties: ['cli', 'another'] })
  t.equal((await get(app, '/me', await realm.token('alice'))).statusCode, 200)
  refused(t, await get(app, '/me', await realm.token('alice', 'short')), 'token_not_valid')
  refused(t, await get(app, '/open', await realm.token('alice', 'short')), 'token_not_valid')
})

t.test('maxTokenAge ends a token before its exp', async (t) => {
  const app = await api(t, { ...options, maxTokenAge: 30 })
  const token = await realm.token('alice')
  t.equal((await get(app, '/me', token)).statusCode, 200)
  const { now } = Date
  t.intercept(Date, 'now', { value: () => now() + 45_000 })
  refused(t, await get(app, '/me', token), 'token_not_valid')
  t.equal((await get(await api(t, options), '/me', token)).statusCode, 200, 'its exp is not past')
})

t.test('tokenType at+jwt admits the tokens of a client that has "Use "at+jwt" as access token header type" on', async (t) => {
  const app = await api(t, { ...options, tokenType: 'at+jwt' })
  const [typed, plain] = [await realm.token('alice', 'at-jwt'), await realm.token('alice')]
  t.match(decode(typed), { header: { typ: 'at+jwt' }, claims: { typ: 'Bearer', client_id: undefined, azp: 'at-jwt' } })
  t.equal((await get(app, '/me', typed)).statusCode, 200)
  t.equal(decode(plain).header.typ, 'JWT')
  refused(t, await get(app, '/me', plain), 'token_not_valid')
  t.equal((await get(await api(t, options), '/me', typed)).statusCode, 200, 'without the option each type is admitted')
})
