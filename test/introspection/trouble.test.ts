import type { ServerResponse } from 'node:http'
import t from 'tap'
import { apiFor, ask, logging, realmFor, until, wait, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { client } from '../support/client.js'

const UNAVAILABLE = '503 keycloak_unavailable'
const ON = { verifyTokensWithKeycloak: true }

t.test('after some failures in a row nobody waits for Keycloak any more, and its return is found within a second', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 150 } })
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  realm.hang('introspect')
  const since = performance.now()
  t.same(await Promise.all(Array.from({ length: 5 }, () => ask(app, '/me', token))), Array(5).fill(UNAVAILABLE))
  t.equal(app.keycloak.health().introspection?.breaker, 'open')
  const asked = realm.requests.introspect
  for (let times = 0; times < 50; times++) t.equal(await ask(app, '/me', token), UNAVAILABLE)
  // On a busy machine they take longer than the half second after which one is let through.
  const trials = Math.floor((performance.now() - since) / 500)
  t.ok(realm.requests.introspect - asked <= trials, 'none of them got there, but a trial now and then')
  await realm.up()
  clocks.advance(1.01)
  t.equal(await ask(app, '/me', token), '200')
  t.equal(app.keycloak.health().introspection?.breaker, 'closed')
})

t.test('while Keycloak is away, one trial at a time finds out', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token()
  realm.error(503, 'introspect')
  for (let times = 0; times < 5; times++) t.equal(await ask(app, '/me', token), UNAVAILABLE)
  t.equal(realm.requests.introspect, 5)
  clocks.advance(1.01)
  t.same(await Promise.all(Array.from({ length: 20 }, () => ask(app, '/me', token))), Array(20).fill(UNAVAILABLE))
  t.equal(realm.requests.introspect, 6)
})

t.test('an outage is found to be over though no request comes', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  for (const trouble of [() => realm.down(), () => realm.error(403, 'introspect')]) {
    t.equal(await ask(app, '/me', realm.token()), '200')
    trouble()
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
    await wait(2100)
    t.match(app.keycloak.health(), { ok: false, introspection: { ok: false } }, 'asked again, it is not over')
    await realm.up()
    await until(() => app.keycloak.health().ok)
    t.match(app.keycloak.health(), { ok: true, introspection: { ok: true, breaker: 'closed' } })
  }
})

t.test('an API that closes asks no more', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  realm.error(500, 'introspect')
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  realm.hang('introspect')
  await until(() => realm.requests.introspect === 2)
  await app.close()
  await wait(2100)
  t.equal(realm.requests.introspect, 2)
})

t.test('informational answers are not the answer', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token()
  realm.respond('introspect', (_request, response) => {
    response.writeProcessing()
    response.writeHead(200).end('{"active":true}')
  })
  t.equal(await ask(app, '/me', token), '200')
})

t.test('a call that is called off while it waits for a connection is never made', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const asked: Array<() => void> = []
  realm.respond('introspect', (_request, response) => { asked.push(() => response.end('{"active":true}')) })
  const served = await Promise.all(Array.from({ length: 32 }, () => client(app, realm.token())))
  await until(() => asked.length === 32)
  const waiting = await Promise.all(Array.from({ length: 8 }, () => client(app, realm.token())))
  await until(() => app.keycloak.health().introspection?.pending === 40)
  for (const { leave } of waiting) leave()
  await until(() => app.keycloak.health().introspection?.pending === 32)
  for (const answer of asked) answer()
  t.same(await Promise.all(served.map(({ answer }) => answer)), Array(32).fill('200'))
  t.equal(realm.requests.introspect, 32)
})

t.test('the same answer is judged once, but its dates each time; another one is judged anew', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const seen: unknown[] = []
  app.get('/seen', { config: { authenticated: true } }, async ({ auth }) => { seen.push(auth) })
  const token = realm.token({ expiresIn: 2 })
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/seen', token), '200')
  t.equal(seen[0], seen[1])
  realm.update(token, { extra: 'later' })
  t.equal(await ask(app, '/seen', token), '200')
  t.match(seen[2], { extra: 'later' })
  realm.respond('introspect', (_request, response) => { response.end('{"active":false}') })
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/seen', token), '401 token_not_valid')
  realm.respond('introspect', null)
  const soon = realm.token()
  const exp = Math.floor(Date.now() / 1000) + 3
  realm.update(soon, { exp })
  t.equal(await ask(app, '/me', soon), '200')
  await until(() => Date.now() / 1000 > exp)
  t.equal(await ask(app, '/me', soon), '401 token_expired')
})

t.test('a token that Keycloak cannot take keeps nobody else from being asked for', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  for (const [status, answer] of [[400, '401 token_not_valid'], [413, UNAVAILABLE]] as const) {
    realm.error(status, 'introspect')
    for (let times = 0; times < 10; times++) t.equal(await ask(app, '/me', realm.token()), answer)
    t.equal(app.keycloak.health().introspection?.breaker, 'closed')
  }
  await realm.up()
  t.equal(await ask(app, '/me', realm.token()), '200')
})

t.test('more calls than maxPending are 503 at once', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, introspection: { maxPending: 3, timeout: 400 } }, log)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  realm.hang('introspect')
  const waiting = Array.from({ length: 3 }, () => ask(app, '/me', token))
  await until(() => app.keycloak.health().introspection?.pending === 3)
  const started = realm.requests.introspect
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  t.equal(realm.requests.introspect, started)
  t.same(await Promise.all(waiting), Array(3).fill(UNAVAILABLE))
  t.equal(app.keycloak.health().introspection?.pending, 0)
  t.ok(log.lines.some(({ level, msg }) => level === WARN && /3 calls are pending already/.test(msg)))
})

t.test('a client that goes away takes its call with it, which is no failure of Keycloak\'s', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, ON, log)
  let cut = 0
  realm.respond('introspect', (_request, response) => { response.on('close', () => { cut++ }) })
  for (let times = 1; times <= 6; times++) {
    const { leave } = await client(app, realm.token())
    await until(() => realm.requests.introspect === times)
    leave()
    await until(() => cut === times)
    t.equal(cut, times)
  }
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: true, breaker: 'closed', pending: 0 } })
  t.notOk(log.lines.some(({ level }) => level > 30), 'and nothing to wake an operator for')
})

t.test('a shared call goes on while somebody waits for it, and ends with the last', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { cacheTtl: 60_000 } })
  const token = realm.token()
  let cut = 0
  let answer = (): void => {}
  realm.respond('introspect', (_request, response) => {
    response.on('close', () => { if (!response.writableFinished) cut++ })
    answer = () => { response.end('{"active":true}') }
  })
  const one = await client(app, token)
  const two = await client(app, token)
  await until(() => realm.requests.introspect === 1)
  await wait(50)
  one.leave()
  await wait(50)
  t.equal(cut, 0, 'the other waits still')
  two.leave()
  await until(() => cut === 1)
  t.equal(cut, 1)
  const three = await client(app, token)
  const four = await client(app, token)
  await until(() => realm.requests.introspect === 2)
  await wait(50)
  three.leave()
  await wait(50)
  answer()
  t.equal(await four.answer, '200')
  t.equal(await (await client(app, token)).answer, '200')
  t.equal(realm.requests.introspect, 2, 'and the answer serves others, though all who waited are gone')
})

t.test('a shared call that was just called off is joined by nobody', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token()
  let again: Promise<unknown> | undefined
  const app = await apiFor(t, realm, {
    ...ON,
    introspection: { cacheTtl: 60_000 },
    extractToken (request) {
      // Behind the plugin's own listener, in the same turn of the event loop.
      setImmediate(() => {
        const { _httpMessage: response } = request.raw.socket as unknown as { _httpMessage: ServerResponse }
        response.once('close', () => { again = app.keycloak.verify(token) })
      })
      return token
    }
  })
  // With the keys there, the plugin listens before extractToken's next turn.
  await app.keycloak.verify(realm.token())
  let answer = (): void => {}
  realm.respond('introspect', (_request, response) => { answer = () => { response.end('{"active":true}') } })
  const { leave } = await client(app, token)
  await until(() => realm.requests.introspect === 2)
  leave()
  await until(() => realm.requests.introspect === 3)
  answer()
  t.match(await again, { preferred_username: 'alice' })
})

t.test('a call that was called off before it began is none', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, clientSecret: async () => { await wait(100); return 'test-secret' } })
  const { leave } = await client(app, realm.token())
  await until(() => app.keycloak.health().introspection?.pending === 1)
  leave()
  await until(() => app.keycloak.health().introspection?.pending === 0)
  t.equal(realm.requests.introspect, 0)
})

t.test('clientSecret may be a function, asked once and anew when Keycloak refuses what it gave', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t, { clientSecret: 'new' })
  const secrets = ['old', 'new']
  let asked = 0
  const app = await apiFor(t, realm, { ...ON, clientSecret: () => secrets[asked++]! })
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE, 'asked for a moment ago, so not again yet')
  t.equal(asked, 1)
  clocks.advance(1.01)
  t.same(await Promise.all(Array.from({ length: 5 }, () => ask(app, '/me', realm.token()))), Array(5).fill('200'))
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(asked, 2)
})

t.test('a function that throws, gives nothing or never ends is 503, and is asked again by the next request', async (t) => {
  const realm = await realmFor(t)
  let source: () => unknown = () => { throw new Error('SECRET-TEXT') }
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, clientSecret: (() => source()) as () => string, introspection: { timeout: 100 } }, log)
  for (const wrong of [source, async () => { throw new Error('SECRET-TEXT') }, () => undefined, () => '', async () => 5, () => new Promise(() => {})]) {
    source = wrong
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  }
  source = () => 'test-secret'
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(realm.requests.introspect, 1)
  t.notMatch(log.text, /SECRET-TEXT/)
  t.ok(log.lines.some(({ msg }) => /the function clientSecret returned no secret/.test(msg)))
})

t.test('trouble that comes and goes does not flood the log', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, ON, log)
  for (let times = 0; times < 20; times++) {
    realm.error(times % 2 === 0 ? 403 : 404, 'introspect')
    await ask(app, '/me', realm.token())
    realm.respond('introspect', null)
    await ask(app, '/me', realm.token())
  }
  t.equal(log.lines.filter(({ msg }) => /token\/introspect/.test(msg)).length, 2, 'once that it fails, once that it is over')
})
