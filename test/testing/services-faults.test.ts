// Faults of the token endpoint, by the same methods as those of the other endpoints.
import t from 'tap'
import { ask, introspect, realmWithServices, uma } from '../support/services.js'

const CREDENTIALS = { grant_type: 'client_credentials' }

t.test('the token endpoint fails alone, or with the realm', async (t) => {
  const { realm, services } = await realmWithServices(t)
  realm.error(503, 'token')
  t.match(await ask(realm, CREDENTIALS), { status: 503, body: { error: 'unknown_error' } })
  t.equal((await introspect(realm, realm.token())).status, 200)
  realm.hang('token')
  const waiting = t.rejects(ask(realm, CREDENTIALS))
  while (realm.requests.token < 2) await new Promise((resolve) => setImmediate(resolve))
  await realm.up()
  await waiting
  realm.respond('token', (_request, response) => response.destroy())
  await t.rejects(ask(realm, CREDENTIALS), 'the connection is reset')
  await realm.down()
  await t.rejects(ask(realm, CREDENTIALS), { cause: { code: 'ECONNREFUSED' } })
  await realm.up()
  t.equal((await ask(realm, CREDENTIALS)).status, 200)
  t.equal(services.calls.length, 1, 'the log has the calls that the rules answered')
  t.match(realm.lastRequest('token')?.body, /grant_type=client_credentials/)
})

t.test('a handler fails some requests, and leaves others to the realm, at once or later', async (t) => {
  const { realm } = await realmWithServices(t, { resources: [{ name: 'invoice', scopes: ['read'], allow: () => true }] })
  realm.respond('token', (_, response, body, next) => {
    if (body.includes('uma-ticket')) response.end('{"result":true}')
    else setImmediate(next)
  })
  t.same(await uma(realm, realm.token(), 'invoice#read'), { status: 200, body: { result: true } }, 'not the form that was asked for')
  t.equal((await ask(realm, CREDENTIALS)).status, 200)
  realm.respond('token', null)
  t.match(await uma(realm, realm.token(), 'invoice#read'), { body: [{ rsname: 'invoice' }] })
})

t.test('a late answer to a request that has ended is none', async (t) => {
  const { realm, services } = await realmWithServices(t)
  let late = () => {}
  const received = new Promise<void>((resolve) => {
    realm.respond('token', (_request, _response, _body, next) => { late = next; resolve() })
  })
  const waiting = t.rejects(ask(realm, CREDENTIALS))
  await received
  await realm.up()
  await waiting
  late()
  t.same(services.calls, [])
})
