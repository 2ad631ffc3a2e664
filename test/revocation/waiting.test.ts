import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { apiFor, ask, logging, realmFor, until, wait, WARN } from '../support/app.js'
import { flood, junk, told } from '../support/flood.js'
import { action, type Answer, backchannel, LOGOUT, logOut, post, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const FULL = 'more calls wait than there is room for'
const KEPT = 'the call is kept until its signature can be checked'

/** Each is busy. */
t.jobs = 1

async function onSockets (app: FastifyInstance, count: number): Promise<Socket[]> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return Promise.all(Array.from({ length: count }, async () => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }))
}

function head (length: number): string {
  return `POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${length}\r\n\r\n`
}

t.test('nothing but the header of a call is looked at before its signature is checked', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  await ask(app, '/me', realm.token())
  const [header, , signature] = realm.token({ kind: 'logout' }).split('.')
  const bad: Array<[string, string]> = [
    [`${header}.e30.${signature}`, 'the signature does not verify'],
    [`${header}.!.${signature}`, 'the signature does not verify'],
    [`${header}.${'['.repeat(1000)}.`, 'the token has no signature'],
    [`${header}.${Buffer.from('{"a":'.repeat(5000)).toString('base64url')}.${signature}`, 'the signature does not verify'],
    [junk('unknown'), 'no key of the realm fits kid and alg'],
    [realm.token({ kind: 'logout', forged: true, expired: true }), 'the signature does not verify'],
    [realm.token({ kind: 'logout', header: { more: 'x'.repeat(1000) } as never }), 'the header is too long'],
    [realm.token({ kind: 'logout', header: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`a${at}`, 1])) as never }), 'the header is too long']
  ]
  for (const [token, reason] of bad) t.match(await backchannel(app, token), { status: 400, body: { error_description: reason } })
  t.equal((await logOut(app, realm)).status, 200)
})

t.test('after the signature too there are bounds: depth, and how many sessions are remembered', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { max: 100 } })
  const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`)
  t.match(await logOut(app, realm, { claims: { deep } }), { status: 400, body: { error_description: 'the payload is not a JSON object' } })
  const before = realm.token({ claims: { sid: '7' } })
  const keycloakSessionIds = Array.from({ length: 6000 }, (_, at) => String(at))
  t.equal((await push(app, realm.sign(action('LOGOUT', { keycloakSessionIds })), 'k_logout')).status, 200)
  t.equal(app.keycloak.health().revocation!.entries, 100)
  t.equal(await ask(app, '/me', before), NOT_VALID, 'nobody is forgotten')
})

t.test('a form of many fields, or with escapes, costs no more than another', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const send = (body: string) => post(app, '/backchannel-logout', 'application/x-www-form-urlencoded', body)
  const token = () => realm.token({ kind: 'logout' })
  t.match(await send(`${'a&'.repeat(30_000)}logout_token=${token()}`), { status: 400, body: { error_description: 'the form has more than 16 fields' } })
  t.equal((await send(`${'a=b&'.repeat(15)}logout_token=${token()}`)).status, 200)
  const escaped = token().replace(/./g, (character) => `%${character.charCodeAt(0).toString(16)}`)
  t.equal((await send(`logout_token=${escaped}`)).status, 200)
})

t.test('what waits while Keycloak is away is bounded by bytes over all routes, large calls make room first', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  await realm.down()
  const real = Array.from({ length: 5 }, (_, at) => logOut(app, realm, { username: `user-${at}` }))
  let dropping = 0
  const calls = flood(app, 700, (at) => `kid-${at}`, 32_000)
  for (const call of calls) void call.then(() => { dropping++ })
  await until(() => dropping >= 170)
  await realm.up()
  for (const { status } of await Promise.all(real)) t.equal(status, 200)
  const dropped = told(await Promise.all(calls), FULL)
  t.ok(dropped >= 170 && dropped < 220, `${dropped} of them are more than 16 MB`)
})

t.test('while Keycloak is away the calls of one kid take no more than their share of what may wait', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  await realm.down()
  const real = logOut(app, realm)
  const calls: Array<Promise<Answer>> = []
  for (let times = 0; times < 11; times++) {
    await wait(0)
    calls.push(...flood(app, 250, () => 'kid', 7000))
  }
  t.match(await real, { status: 503, body: { error_description: KEPT } }, 'it waits on without an answer')
  t.equal(told(await Promise.all(calls), KEPT), 2750, 'so do the others, or they are lost by now')
  t.ok(log.lines.some(({ level, msg }) => level === WARN && msg.endsWith(`that had to wait is lost: ${FULL}`)))
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_room_full'))
  await realm.up()
  await until(async () => await ask(app, '/me', realm.token()) === NOT_VALID)
})

t.test('the oldest of all make room where each call has a kid of its own: nobody can tell them apart without the keys', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  await realm.down()
  const first = logOut(app, realm, { username: 'anna' })
  const calls: Array<Promise<Answer>> = []
  // Few at once, and more of them on a slow machine: the bodies of many that are being read together make room first.
  const isFull = (): boolean => log.text.includes(`that had to wait is lost: ${FULL}`)
  for (let times = 0; times < 44 || (times < 200 && !isFull()); times++) {
    await wait(10)
    calls.push(...flood(app, 250, (at) => `kid-${times}-${at}`))
  }
  const last = logOut(app, realm, { username: 'bert' })
  await until(isFull)
  await realm.up()
  await until(async () => await ask(app, '/me', realm.token({ username: 'bert' })) === NOT_VALID)
  await Promise.all([first, last, ...calls])
  t.equal(await ask(app, '/me', realm.token({ username: 'anna' })), '200')
})

t.test('a call whose key is known needs no room', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  t.equal(await ask(app, '/me', realm.token()), '200')
  await realm.down()
  const calls = flood(app, 600, (at) => `kid-${at}`, 32_000)
  t.equal((await logOut(app, realm)).status, 200)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  await realm.up()
  await Promise.all(calls)
})

t.test('bodies that drip on many connections take no room from calls', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const sockets = await onSockets(app, 350)
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  let full = 0
  for (const socket of sockets) {
    socket.on('data', (answer) => { if (String(answer).includes(FULL)) full++ })
    socket.write(`${head(65_000)}logout_token=${'x'.repeat(60_000)}`)
  }
  await until(() => full >= 60)
  t.equal((await logOut(app, realm)).status, 200)
})

t.test('a body that comes byte by byte is read, and takes no more room than another', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const [socket] = await onSockets(app, 1) as [Socket]
  const chunks = [...`logout_token=${realm.token({ kind: 'logout' })}`].map((character) => `1\r\n${character}\r\n`).join('')
  socket.write('POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n')
  socket.write(`${chunks}0\r\n\r\n`)
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
  socket.destroy()
})

t.test('a call whose body ends while the API closes waits for no keys', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const closing = new Promise<void>((resolve) => { app.addHook('preClose', async () => { resolve() }) })
  const [socket] = await onSockets(app, 1) as [Socket]
  const body = `logout_token=${junk('kid')}`
  socket.write(head(body.length) + body.slice(0, 100))
  await once(app.server, 'request')
  const closed = app.close()
  await closing
  socket.write(body.slice(100))
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 503 [^]*connection: close[^]*the API is closing/)
  await closed
})

t.test('the same call, made again while the store takes its time, is one call', async (t) => {
  const realm = await realmFor(t)
  const pending: Array<() => void> = []
  const store = {
    follow: (follower: { upToDate: () => void }) => follower.upToDate(),
    publish: () => new Promise<void>((resolve) => { pending.push(resolve) }),
    close: () => {}
  }
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store } })
  const token = realm.token({ kind: 'logout' })
  const calls = Array.from({ length: 5 }, () => backchannel(app, token))
  await until(() => pending.length > 0)
  await wait(100)
  t.equal(pending.length, 1)
  pending[0]!()
  for (const { status } of await Promise.all(calls)) t.equal(status, 200)
  t.match(await backchannel(app, token), { status: 400, body: { error_description: 'the call was made before' } })
})
