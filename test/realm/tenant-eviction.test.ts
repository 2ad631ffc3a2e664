// The realms of tenants that are kept: which one ends for another, and when it closes.
import t, { type Test } from 'tap'
import { entryOf, issuer, type Stubs, tenantsFor } from '../support/tenants.js'

t.test('a realm is opened once, and the function is asked once', async (t) => {
  const { ask, asked, opened, tenants } = tenantsFor(t)
  t.same(await Promise.all([1, 2, 3].map(() => ask(issuer('a')))), ['good', 'good', 'good'])
  t.equal(await ask(issuer('a')), 'good')
  t.same(asked, [issuer('a')])
  t.same([...tenants.all()], opened)
  t.equal(tenants.byName('a'), opened[0])
  t.equal(tenants.byName('b'), undefined)
  t.equal(tenants.names, undefined)
})

t.test('the least recently used realm ends and closes for a new one, and is opened again when it returns', async (t) => {
  const { ask, asked, opened, tenants } = tenantsFor(t, entryOf, { maxIssuers: 2 })
  for (const name of ['a', 'b', 'a', 'c']) t.equal(await ask(issuer(name)), 'good')
  const [a, b, c] = opened
  t.same([...tenants.all()], [a, c])
  t.equal(b!.closed, 1)
  t.notOk(tenants.isOpen(b!))
  t.equal(await ask(issuer('b')), 'good')
  t.same(asked, ['a', 'b', 'c', 'b'].map(issuer))
  t.equal(a!.closed, 1)
})

t.test('a kept token is a use of its realm', async (t) => {
  const { ask, opened, tenants } = tenantsFor(t, entryOf, { maxIssuers: 2 })
  for (const name of ['a', 'b']) await ask(issuer(name))
  t.ok(tenants.isOpen(opened[0]!))
  await ask(issuer('c'))
  t.same(opened.map(({ closed }) => closed), [0, 1, 0])
})

t.test('requests under way are answered by a realm that has ended, which closes after the last one', async (t) => {
  const { ask, opened } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  await ask(issuer('a'))
  const slow = [ask(issuer('a'), 'slow'), ask(issuer('a'), 'slow')]
  await ask(issuer('b'))
  t.equal(opened[0]!.closed, 0)
  opened[0]!.accept()
  t.same(await Promise.all(slow), ['good', 'good'])
  t.same(opened.map(({ closed }) => closed), [1, 0])
})

t.test('a realm that has ended since it was found is asked for again', async (t) => {
  const { ask, tenants, opened } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  await ask(issuer('a'))
  const found = await tenants.byIssuer(issuer('a'))
  await ask(issuer('b'))
  t.equal(found.closed, 1)
  await tenants.identify(found, { scheme: 'Bearer', token: 'good' })
  t.equal(opened.length, 3)
})

t.test('realms that accept no token end no realm that does, however many are named', async (t) => {
  const { ask, opened, tenants } = tenantsFor(t, entryOf, { maxIssuers: 3 })
  for (const name of ['a', 'b', 'c']) await ask(issuer(name))
  for (let at = 0; at < 90; at++) t.equal(await ask(issuer(`stranger-${at}`), 'forged'), 'refused')
  t.same(['a', 'b', 'c'].map((name) => tenants.byName(name)?.closed), [0, 0, 0])
  t.equal([...tenants.all()].length, 3 + 32)
  t.equal(opened.filter(({ closed }) => closed === 1).length, 90 - 32)
  t.equal(await ask(issuer('d')), 'good')
  t.same(['a', 'b', 'c', 'd'].map((name) => tenants.byName(name)?.name), [undefined, 'b', 'c', 'd'])
})

t.test('realms that accept no token have the places that are free', async (t) => {
  const { ask, tenants } = tenantsFor(t, entryOf, { maxIssuers: 90 })
  for (let at = 0; at < 80; at++) await ask(issuer(`stranger-${at}`), 'forged')
  t.equal([...tenants.all()].length, 80)
})

t.test('a realm that accepts its first token after others were named has its place', async (t) => {
  const { ask, opened, tenants } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  await ask(issuer('a'))
  const slow = ask(issuer('b'), 'slow')
  for (let at = 0; at < 50; at++) await ask(issuer(`stranger-${at}`), 'forged')
  opened[1]!.accept()
  t.equal(await slow, 'good')
  t.equal(tenants.byName('b'), opened[1])
  t.equal(opened[0]!.closed, 1)
})

/** One realm that accepts tokens, and so many that are in use and have accepted none. */
async function unprovenFor (t: Test, count: number, find: (iss: string) => unknown = entryOf): Promise<Stubs & { slow: Array<Promise<string>> }> {
  const stubs = tenantsFor(t, find, { maxIssuers: 1 })
  await stubs.ask(issuer('a'))
  const slow: Array<Promise<string>> = []
  for (let at = 0; at < count; at++) {
    t.equal(await stubs.ask(issuer(`${at}`), 'forged'), 'refused')
    slow.push(stubs.ask(issuer(`${at}`), 'slow'))
  }
  return { slow, ...stubs }
}

t.test('of too many realms that are in use and have accepted no token, the oldest one ends', async (t) => {
  const { slow, opened, tenants } = await unprovenFor(t, 40)
  t.equal([...tenants.all()].length, 33)
  t.same(['0', '7', '8'].map((name) => tenants.byName(name)?.name), [undefined, undefined, '8'])
  t.same(opened.filter(({ closed }) => closed > 0), [])
  t.ok(slow.length === 40)
})

t.test('a realm that had to end before it accepted its first token is open again when it does', async (t) => {
  const { ask, asked, slow, opened, tenants } = await unprovenFor(t, 40)
  opened[1]!.accept()
  t.equal(await slow[0], 'good')
  t.equal(tenants.byName('0'), opened[1])
  t.equal(await ask(issuer('0')), 'good')
  t.equal(asked.filter((iss) => iss === issuer('0')).length, 1)
  t.equal(opened[0]!.closed, 1)
})

t.test('it is not if its issuer was forgotten meanwhile, or the function knows it no more', async (t) => {
  const gone = new Set<string>()
  const { ask, slow, opened, tenants } = await unprovenFor(t, 40, (iss) => gone.has(iss) ? null : entryOf(iss))
  gone.add(issuer('1'))
  t.equal(await ask(issuer('1')), 'issuer_unknown')
  opened[2]!.accept()
  t.equal(await slow[1], 'good')
  t.equal(await ask(issuer('1')), 'issuer_unknown')
  tenants.forget(issuer('0'))
  opened[1]!.accept()
  t.equal(await slow[0], 'good', 'a request under way is answered')
  t.equal(tenants.byName('0'), undefined)
  t.equal(opened[1]!.closed, 1)
})

t.test('it is not if there is another one of its issuer by now, or the API has closed', async (t) => {
  const { ask, slow, opened, tenants, closing } = await unprovenFor(t, 40)
  t.equal(await ask(issuer('0')), 'good')
  opened[1]!.accept()
  t.equal(await slow[0], 'good')
  t.equal(opened[1]!.closed, 1)
  t.equal(tenants.byName('0'), opened[41])
  closing.finish()
  await tenants.close()
  opened[2]!.accept()
  t.equal(await slow[1], 'good')
  t.same([...tenants.all()], [])
  t.equal(opened[2]!.closed, 1)
})
