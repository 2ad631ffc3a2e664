// A tenant that was added, changed or ended: the application has the answer of its function forgotten.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'
import type { IssuerOptions, KeycloakOptions, SeveralIssuersOptions } from '../../types/options.js'
import { until } from '../support/app.js'
import { heldKeysFor } from '../support/held-keys.js'
import { entryOf, issuer, tenantsFor } from '../support/tenants.js'

const ACME = issuer('acme')

/** An API whose function looks into a table. */
async function start (t: Test) {
  const [acme, globex] = [await createTestRealm({ name: 'acme' }), await createTestRealm({ name: 'globex' })]
  const table = new Map<string, IssuerOptions>([[acme.issuer, acme.options]])
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    await acme.close()
    await globex.close()
  })
  await app.register(keycloak, { issuers: (iss) => table.get(iss) ?? null })
  app.get('/', { config: { authenticated: true } }, async ({ issuer }) => issuer)
  const ask = async (realm: typeof acme, token = realm.token()) => {
    const { statusCode, body } = await realm.inject(app, { as: token, url: '/' })
    return statusCode === 200 ? body : `${statusCode} ${JSON.parse(body).code}`
  }
  return { app, table, acme, globex, ask }
}

t.test('a tenant that is added after its first token was refused', async (t) => {
  const { app, table, globex, ask } = await start(t)
  t.equal(await ask(globex), '401 token_not_valid')
  table.set(globex.issuer, globex.options)
  t.equal(await ask(globex), '401 token_not_valid', 'for a minute')
  app.keycloak.forgetIssuer(globex.issuer)
  t.equal((await app.keycloak.verify(globex.token())).iss, globex.issuer)
  t.equal(await ask(globex), 'globex')
})

t.test('a tenant that has ended, with tokens that are kept', async (t) => {
  const { app, table, acme, ask } = await start(t)
  const token = acme.token()
  for (let times = 0; times < 3; times++) t.equal(await ask(acme, token), 'acme')
  table.delete(acme.issuer)
  t.equal(await ask(acme, token), 'acme')
  app.keycloak.forgetIssuer(acme.issuer)
  t.equal(await ask(acme, token), '401 token_not_valid')
  t.strictSame(app.keycloak.health().issuers, {})
})

t.test('a kept token does not count by a realm that has ended and is still in use', async (t) => {
  const { app, table, acme, ask } = await start(t)
  const held = await heldKeysFor(t, acme)
  table.set(acme.issuer, { ...acme.options, serverUrl: held.url })
  const token = acme.token()
  for (let times = 0; times < 3; times++) t.equal(await ask(acme, token), 'acme')
  held.hold = true
  const inUse = ask(acme, acme.token({ kid: 'unknown' }))
  await until(() => held.asked === 2)
  table.delete(acme.issuer)
  app.keycloak.forgetIssuer(acme.issuer)
  t.equal(await ask(acme, token), '401 token_not_valid')
  held.release()
  t.equal(await inUse, '401 token_not_valid')
})

t.test('a tenant whose entry has changed', async (t) => {
  const { app, table, acme, ask } = await start(t)
  t.equal(await ask(acme), 'acme')
  table.set(acme.issuer, { ...acme.options, name: 'roadrunner', audience: 'api' })
  app.keycloak.forgetIssuer(acme.issuer)
  t.equal(await ask(acme), 'roadrunner')
})

t.test('an issuer that nobody has met is no error', async (t) => {
  const { app, acme, ask } = await start(t)
  app.keycloak.forgetIssuer('https://sso.example.com/realms/nobody')
  for (const text of ['', 'globex', `${acme.issuer}/`]) t.throws(() => app.keycloak.forgetIssuer(text), { name: 'TypeError', message: /^forgetIssuer\(\) needs the issuer as tokens have it in iss/ })
  t.equal(await ask(acme), 'acme')
})

t.test('requests under way are answered by the realm that ends', async (t) => {
  const { tenants, ask, opened, asked } = tenantsFor(t)
  const slow = ask(ACME, 'slow')
  while (opened.length === 0) await new Promise(setImmediate)
  await new Promise(setImmediate)
  tenants.forget(ACME)
  t.equal(await ask(ACME), 'good')
  t.equal(opened[0]!.closed, 0)
  opened[0]!.accept()
  t.equal(await slow, 'good')
  t.equal(opened[0]!.closed, 1)
  t.strictSame(asked, [ACME, ACME])
})

t.test('a failure is forgotten too', async (t) => {
  let works = false
  const { tenants, ask } = tenantsFor(t, (iss) => {
    if (!works) throw new Error('no database')
    return entryOf(iss)
  })
  t.equal(await ask(ACME), 'issuers_failed')
  works = true
  t.equal(await ask(ACME), 'issuers_failed', 'for a second')
  tenants.forget(ACME)
  t.equal(await ask(ACME), 'good')
})

t.test('an answer that is forgotten while it is on its way does not count', async (t) => {
  const answers: Array<(entry: object | null) => void> = []
  const { tenants, ask, opened } = tenantsFor(t, () => new Promise((resolve) => { answers.push(resolve) }))
  for (const [late, now, expected] of [[null, entryOf(ACME), 'good'], [entryOf(ACME), null, 'issuer_unknown']] as const) {
    tenants.forget(ACME)
    answers.length = 0
    const asking = ask(ACME)
    while (answers.length < 1) await new Promise(setImmediate)
    tenants.forget(ACME)
    answers[0]!(late)
    while (answers.length < 2) await new Promise(setImmediate)
    answers[1]!(now)
    t.equal(await asking, expected)
  }
  t.equal(tenants.byName('acme'), undefined)
  t.ok(opened.every(({ closed }) => closed === 1))
})

t.test('a list, one issuer, and a value that is no issuer, throw', async (t) => {
  const realm = await createTestRealm()
  const of = async (options: KeycloakOptions | SeveralIssuersOptions) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, options)
    await app.ready()
    return app.keycloak
  }
  t.teardown(() => realm.close())
  const none = /^forgetIssuer\(\) needs a function as the option issuers; a list of issuers does not change while the API runs$/
  for (const options of [realm.options, { issuers: [realm.options] }]) {
    const instance = await of(options)
    t.throws(() => instance.forgetIssuer(realm.issuer), { message: none })
  }
  const instance = await of({ issuers: () => null })
  for (const value of [undefined, 7, {}]) t.throws(() => instance.forgetIssuer(value as never), { name: 'TypeError', message: /^forgetIssuer\(\) needs the issuer, a string, not / })
})
