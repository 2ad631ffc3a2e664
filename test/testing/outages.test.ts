import t, { type Test } from 'tap'
import { createTestRealm, type Endpoint, type TestRealm } from '../../lib/testing/index.js'

const PATHS = {
  certs: '/protocol/openid-connect/certs',
  introspect: '/protocol/openid-connect/token/introspect',
  discovery: '/.well-known/openid-configuration',
  token: '/protocol/openid-connect/token',
  protection: '/authz/protection/resource_set',
  other: '/elsewhere'
}

async function realmFor (t: Test): Promise<TestRealm> {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  return realm
}

function ask (realm: TestRealm, endpoint: Endpoint, signal?: AbortSignal): Promise<Response> {
  return fetch(realm.issuer + PATHS[endpoint], { method: endpoint === 'introspect' ? 'POST' : 'GET', signal: signal ?? null })
}

/** Until the realm has taken so many requests: what hangs cannot be awaited. */
async function taken (realm: TestRealm, endpoint: Endpoint, count: number): Promise<void> {
  while (realm.requests[endpoint] < count) await new Promise(resolve => setImmediate(resolve))
}

t.test('a realm that is down refuses connections, and comes up on the same port', async t => {
  const realm = await realmFor(t)
  const { issuer } = realm
  for (let outage = 0; outage < 3; outage++) {
    t.equal((await ask(realm, 'certs')).status, 200)
    await realm.down()
    await realm.down()
    await t.rejects(ask(realm, 'certs'), { cause: { code: 'ECONNREFUSED' } })
    t.equal(realm.issuer, issuer)
    await realm.up()
    t.equal((await ask(realm, 'certs')).status, 200)
  }
})

t.test('going down cuts the requests that wait', async t => {
  const realm = await realmFor(t)
  realm.hang()
  const waiting = t.rejects(ask(realm, 'certs'))
  await taken(realm, 'certs', 1)
  await realm.down()
  await waiting
  await realm.up()
  t.equal((await ask(realm, 'certs')).status, 200, 'up() ends the hanging too')
})

t.test('a realm that hangs takes requests until it is up again', async t => {
  const realm = await realmFor(t)
  realm.hang()
  const waiting = (['certs', 'introspect', 'discovery', 'other'] as const).map(async endpoint => {
    const rejected = t.rejects(ask(realm, endpoint), endpoint)
    await taken(realm, endpoint, 1)
    return rejected
  })
  const gaveUp = new AbortController()
  const impatient = t.rejects(ask(realm, 'certs', gaveUp.signal), { name: 'AbortError' })
  await taken(realm, 'certs', 2)
  gaveUp.abort()
  await impatient
  t.same(realm.requests, { certs: 2, introspect: 1, discovery: 1, token: 0, protection: 0, other: 1 })
  await realm.up()
  await Promise.all(waiting)
  t.equal((await ask(realm, 'certs')).status, 200)
})

t.test('one endpoint hangs, the others answer', async t => {
  const realm = await realmFor(t)
  realm.hang('introspect')
  t.equal((await ask(realm, 'certs')).status, 200)
  const waiting = t.rejects(ask(realm, 'introspect'))
  await taken(realm, 'introspect', 1)
  await realm.up()
  await waiting
  t.equal((await ask(realm, 'introspect')).status, 415)
})

t.test('a realm in error answers 500, or the status it is told', async t => {
  const realm = await realmFor(t)
  realm.error()
  for (const endpoint of ['certs', 'introspect', 'discovery', 'other'] as const) {
    const response = await ask(realm, endpoint)
    t.equal(response.status, 500)
    t.same(await response.json(), { error: 'unknown_error' })
  }
  realm.error(429)
  t.equal((await ask(realm, 'certs')).status, 429)
  await realm.up()
  t.equal((await ask(realm, 'certs')).status, 200)
})

t.test('one endpoint is in error, the others answer', async t => {
  const realm = await realmFor(t)
  realm.error(503, 'certs')
  t.equal((await ask(realm, 'certs')).status, 503)
  t.equal((await ask(realm, 'discovery')).status, 200)
})

t.test('an endpoint answers anything at all', async t => {
  const realm = await realmFor(t)
  realm.respond('introspect', (request, response, body) => {
    response.writeHead(200, { 'x-method': request.method! }).end(`not JSON: ${body}`)
  })
  const response = await fetch(realm.issuer + PATHS.introspect, { method: 'POST', body: 'hello' })
  t.equal(response.headers.get('x-method'), 'POST')
  t.equal(await response.text(), 'not JSON: hello')

  realm.respond('introspect', null)
  t.equal((await ask(realm, 'introspect')).status, 415, 'null puts the own answer back')
  realm.respond('certs', (_, response) => { response.socket!.destroy() })
  await t.rejects(ask(realm, 'certs'))
  await realm.up()
  t.equal((await ask(realm, 'certs')).status, 200, 'and so does up()')
})
