import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from './public/client.js'
import { start, until } from './test-chat.js'
import WebSocket from 'ws'

const LIMIT = { timeout: 60_000 }
const PAGE = 'https://app.example.com'

test('an upgrade is refused as HTTP, before there is a connection', LIMIT, async (t) => {
  const { dial, tokenFor } = await start(t)
  const refused = async (headers: Record<string, string>) => {
    const { status, body, headers: { 'www-authenticate': challenge } } = await dial({ headers }).refused
    assert.match(String(challenge), /^Bearer realm="test"/)
    return [status, body.code]
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  assert.deepEqual(await refused({}), [401, 'not_authenticated'])
  assert.deepEqual(await refused(bearer('x')), [401, 'token_not_valid'])
  assert.deepEqual(await refused(bearer(tokenFor({ forged: true }))), [401, 'token_not_valid'])
  assert.deepEqual(await refused(bearer(tokenFor({ expired: true }))), [401, 'token_expired'])
  assert.deepEqual(await refused(bearer(tokenFor({ roles: [] }))), [403, 'permission_denied'])
})

test('while Keycloak is away and its keys are not known, an upgrade is 503', LIMIT, async (t) => {
  const { realm, dial, join, tokenFor } = await start(t)
  const token = tokenFor()
  await realm.down()
  const { status, body, headers } = await dial({ headers: { authorization: `Bearer ${token}` } }).refused
  assert.deepEqual([status, body.code, headers['retry-after']], [503, 'keycloak_unavailable', '1'])
  await realm.up()
  await until(async () => await join(token).then(() => true, () => false))
})

test('a browser sends the token as a subprotocol, which the server does not say back', LIMIT, async (t) => {
  const { dial, tokenFor } = await start(t, { origins: [PAGE] })
  const client = dial({ origin: PAGE }, ['chat.v1', `bearer.${tokenFor()}`])
  await once(client.socket, 'open')
  assert.equal(client.socket.protocol, 'chat.v1')
  client.say('hello')
  assert.deepEqual(await client.hears(), { from: 'alice', text: 'hello' })

  const { body } = await dial({ origin: PAGE }, ['chat.v1', 'bearer.x']).refused
  assert.equal(body.code, 'token_not_valid')
  const { body: none } = await dial({ origin: PAGE }, ['chat.v1']).refused
  assert.equal(none.code, 'not_authenticated')
})

test('the Authorization header goes first, and a subprotocol is no token on a request without upgrade', LIMIT, async (t) => {
  const { app, dial, tokenFor } = await start(t)
  const { body } = await dial({ headers: { authorization: 'Bearer x' } }, ['chat.v1', `bearer.${tokenFor()}`]).refused
  assert.equal(body.code, 'token_not_valid')
  const { statusCode } = await app.inject({ url: '/people', headers: { 'sec-websocket-protocol': `bearer.${tokenFor()}` } })
  assert.equal(statusCode, 401)
})

test('a page of another origin is 403, whatever its token', LIMIT, async (t) => {
  const { dial, tokenFor } = await start(t, { origins: [PAGE] })
  for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`, PAGE.toUpperCase()]) {
    const { status, body } = await dial({ origin }, ['chat.v1', `bearer.${tokenFor()}`]).refused
    assert.deepEqual([status, body.code], [403, 'foreign_origin'])
  }
})

test('the client of the page connects, is heard, and comes back with a fresh token when the old one ends', LIMIT, async (t) => {
  const { url, tokenFor } = await start(t)
  const tokens = [tokenFor({ expiresIn: 3 }), tokenFor()]
  const heard: any[] = []
  const states: string[] = []
  const client = connect({
    url,
    token: async () => tokens.shift() ?? assert.fail('it asks for one token too many'),
    onMessage: (message) => { heard.push(message) },
    onState: (state) => { states.push(state) },
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket
  })
  t.after(() => client.close())
  await until(() => states.length === 3)
  assert.deepEqual(states, ['connected', 'closed: 4401 token_expired', 'connected'])
  client.send('back again')
  await until(() => heard.length === 1)
  assert.deepEqual(heard, [{ from: 'alice', text: 'back again' }])
})

test('the client of the page stays away when nobody is logged in any more', LIMIT, async (t) => {
  const { app, url, tokenFor } = await start(t)
  const tokens = [tokenFor({ expiresIn: 3 })]
  const states: string[] = []
  connect({
    url,
    token: async () => tokens.shift() ?? Promise.reject(new Error('login required')),
    onMessage () {},
    onState: (state) => { states.push(state) },
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket
  })
  await until(() => states.length === 3)
  assert.deepEqual(states, ['connected', 'closed: 4401 token_expired', 'logged out'])
  assert.equal(app.websocketServer.clients.size, 0)
})

test('the page is open to everybody', LIMIT, async (t) => {
  const { app } = await start(t)
  assert.match((await app.inject('/')).body, /client\.js/)
  assert.match(String((await app.inject('/client.js')).headers['content-type']), /^text\/javascript/)
})
