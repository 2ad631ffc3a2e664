// The API closes while tenants are asked about, opened and in use.
import t from 'tap'
import { until } from '../support/app.js'
import { entryOf, issuer, StubRealm, tenantsFor } from '../support/tenants.js'

const A = issuer('a')

t.test('all realms are closed, those in use too, and nobody is asked any more', async (t) => {
  const { ask, asked, opened, closing, tenants } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  for (const name of ['a', 'b']) {
    await ask(issuer(name))
    void ask(issuer(name), 'slow')
  }
  await ask(issuer('a'))
  t.same(opened.map(({ closed }) => closed), [0, 0, 0])
  closing.finish()
  await tenants.close()
  t.same(opened.map(({ closed }) => closed), [1, 1, 1])
  for (const realm of opened) realm.accept()
  t.equal(await ask(issuer('c')), 'api_closed')
  t.same(asked, ['a', 'b', 'a'].map(issuer))
  t.same(opened.map(({ closed }) => closed), [1, 1, 1])
})

t.test('a call under way and questions that wait are 503', async (t) => {
  const { ask, asked, closing, log } = tenantsFor(t, () => new Promise(() => {}))
  const answers = Array.from({ length: 20 }, (_, at) => ask(issuer(`${at}`)))
  await until(() => asked.length === 12)
  closing.begin()
  closing.finish()
  t.same(new Set(await Promise.all(answers)), new Set(['api_closing']))
  t.notMatch(log.text, 'the function issuers')
  t.equal(asked.length, 12)
})

t.test('a realm that has been opened meanwhile is closed', async (t) => {
  let opens!: (realm: StubRealm) => void
  const realm = new StubRealm(entryOf(A))
  const { ask, closing, tenants } = tenantsFor(t, entryOf, { open: () => new Promise((resolve) => { opens = resolve }) })
  const answer = ask(A)
  await until(() => opens !== undefined)
  closing.finish()
  await tenants.close()
  opens(realm)
  t.equal(await answer, 'api_closed')
  t.equal(realm.closed, 1)
})

t.test('a realm that does not close in order has ended all the same', async (t) => {
  const { ask, tenants, opened } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  await ask(A)
  opened[0]!.close = async () => { throw new Error('no') }
  t.equal(await ask(issuer('b')), 'good')
  t.same([...tenants.all()], [opened[1]])
})

t.test('no timer stays', async (t) => {
  const { ask, closing, tenants } = tenantsFor(t, () => null)
  const answers = Array.from({ length: 120 }, (_, at) => ask(issuer(`${at}`)))
  await answers[0]
  closing.finish()
  await tenants.close()
  await Promise.all(answers)
  t.notOk(process.getActiveResourcesInfo().includes('Timeout'))
})
