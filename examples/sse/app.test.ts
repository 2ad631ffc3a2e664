import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { subscribe } from './client.js'

const LIMIT = { timeout: 60_000 }

async function start (t: TestContext) {
  const realm = await createTestRealm()
  const app = await buildApp(realm.options)
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/news`
  const tokenFor = (who: TokenSpec = {}): string => realm.token({ roles: ['read-news'], ...who })
  /** The whole text of a stream, and the first chunk that has come. */
  const open = async (token: string) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    return { status: response.status, text: response.text() }
  }
  const say = async (text: string): Promise<void> => {
    const { statusCode } = await realm.inject(app, { as: { username: 'carol', roles: ['write-news'] }, method: 'POST', url: '/news', payload: JSON.stringify(text), headers: { 'content-type': 'application/json' } })
    assert.equal(statusCode, 204)
  }
  const logOut = async (username: string): Promise<void> => {
    const payload = new URLSearchParams({ logout_token: realm.token({ username, kind: 'logout' }) }).toString()
    const { statusCode } = await app.inject({ method: 'POST', url: '/backchannel-logout', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload })
    assert.equal(statusCode, 200)
  }
  return { app, realm, url, tokenFor, open, say, logOut }
}

test('a stream begins with a token that has the role, and is refused otherwise', LIMIT, async (t) => {
  const { app, tokenFor } = await start(t)
  const answer = async (token?: string) => {
    const { statusCode, body } = await app.inject({ url: '/news', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
    return [statusCode, JSON.parse(body).code]
  }
  assert.deepEqual(await answer(), [401, 'not_authenticated'])
  assert.deepEqual(await answer(tokenFor({ expired: true })), [401, 'token_expired'])
  assert.deepEqual(await answer(tokenFor({ roles: [] })), [403, 'permission_denied'])
})

test('a stream carries the news, and ends at the exp of its token', LIMIT, async (t) => {
  const { tokenFor, open, say } = await start(t)
  const { text } = await open(tokenFor({ expiresIn: 5 }))
  await say('hello')
  assert.equal(await text, ': welcome\n\ndata: {"from":"carol","text":"hello"}\n\nevent: end\ndata: token_expired\n\n')
})

test('a logout ends the streams of the user at once, and nobody else\'s', LIMIT, async (t) => {
  const { tokenFor, open, say, logOut } = await start(t)
  const [alice, bob] = [await open(tokenFor()), await open(tokenFor({ username: 'bob' }))]
  await logOut('alice')
  assert.equal(await alice.text, ': welcome\n\nevent: end\ndata: token_not_valid\n\n')
  await say('where is she?')
  await logOut('bob')
  assert.equal(await bob.text, ': welcome\n\ndata: {"from":"carol","text":"where is she?"}\n\nevent: end\ndata: token_not_valid\n\n')
})

test('the client comes back with a new token', LIMIT, async (t) => {
  const { tokenFor, url, say, logOut } = await start(t)
  const tokens = [tokenFor(), tokenFor({ username: 'bob' })]
  const events = subscribe(url, async () => tokens.shift() ?? Promise.reject(new Error('login required')))
  const first = events.next()
  // The stream is open when an item arrives.
  const timer = setInterval(() => { say('tick').catch(() => {}) }, 20)
  assert.deepEqual((await first).value, { event: 'message', data: '{"from":"carol","text":"tick"}' })
  await logOut('alice')
  while (tokens.length > 0) await events.next()
  assert.deepEqual((await events.next()).value, { event: 'message', data: '{"from":"carol","text":"tick"}' })
  clearInterval(timer)
  await logOut('bob')
  await assert.rejects(async () => { while (!(await events.next()).done); }, /login required/)
})
