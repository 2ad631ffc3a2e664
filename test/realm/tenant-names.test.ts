// Rules trust the names of tenants: a name is one issuer's.
import t, { type Test } from 'tap'
import { WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { type Entry, type Stubs, tenantsFor } from '../support/tenants.js'

const [FIRST, OTHER] = ['https://one.example.com/realms/acme', 'https://other.example.com/realms/acme']
const CLASH = /^the function issuers returned entries of two issuers with one name: give each entry a name of its own; /

/** A table of tenants by their issuers. */
function tableFor (t: Test, maxIssuers = 100): Stubs & { table: Map<string, string> } {
  const table = new Map([[FIRST, 'acme'], [OTHER, 'acme']])
  const find = async (issuer: string): Promise<Entry | null> => {
    const name = table.get(issuer)
    return name === undefined ? null : { issuer, name }
  }
  return { table, ...tenantsFor(t, find, { maxIssuers }) }
}

function clashes ({ log }: Stubs): unknown[] {
  return log.lines.filter(({ level, msg }) => level === WARN && CLASH.test(msg)).map(({ iss }) => iss)
}

t.test('a second issuer with the name of an open one is a 503, with a warning that names it', async (t) => {
  const stubs = tableFor(t)
  const { ask, tenants, opened } = stubs
  t.equal(await ask(FIRST), 'good')
  t.equal(await ask(OTHER), 'issuers_failed')
  t.equal(tenants.byName('acme'), opened[0])
  t.equal(await ask(FIRST), 'good')
  t.same(clashes(stubs), [OTHER])
})

t.test('of two that come at once, one has the name', async (t) => {
  const stubs = tableFor(t)
  t.same((await Promise.all([stubs.ask(FIRST), stubs.ask(OTHER)])).toSorted(), ['good', 'issuers_failed'])
  t.equal(clashes(stubs).length, 1)
})

t.test('two that want the name of a third cause one call about it', async (t) => {
  const { table, ask, asked } = tableFor(t)
  const third = 'https://third.example.com/realms/acme'
  table.set(third, 'acme')
  t.equal(await ask(FIRST), 'good')
  t.same(await Promise.all([ask(OTHER), ask(third)]), ['issuers_failed', 'issuers_failed'])
  t.same(asked, [FIRST, OTHER, third, FIRST])
})

t.test('a name stays with an issuer whose realm has ended', async (t) => {
  const { table, ask, tenants } = tableFor(t, 1)
  table.set('https://one.example.com/realms/b', 'b')
  t.equal(await ask(FIRST), 'good')
  t.equal(await ask('https://one.example.com/realms/b'), 'good')
  t.equal(tenants.byName('acme'), undefined)
  t.equal(await ask(OTHER), 'issuers_failed')
  t.equal(await ask(FIRST), 'good')
})

t.test('an issuer of which no token was accepted keeps no name when its realm has ended', async (t) => {
  const { table, ask } = tableFor(t, 1)
  t.equal(await ask(OTHER, 'forged'), 'refused')
  for (let at = 0; at < 40; at++) {
    table.set(`https://one.example.com/realms/${at}`, `${at}`)
    await ask(`https://one.example.com/realms/${at}`, 'forged')
  }
  t.equal(await ask(FIRST), 'good')
})

t.test('a tenant that has moved to another issuer takes its name along', async (t) => {
  const stubs = tableFor(t)
  const { table, ask, tenants, opened } = stubs
  t.equal(await ask(FIRST), 'good')
  const slow = ask(FIRST, 'slow')
  table.delete(FIRST)
  t.equal(await ask(OTHER), 'good')
  t.equal(tenants.byName('acme'), opened[1])
  t.equal(await ask(FIRST), 'issuer_unknown')
  opened[0]!.accept()
  t.equal(await slow, 'good')
  t.equal(opened[0]!.closed, 1)
  t.equal(tenants.byName('acme'), opened[1])
  t.same(clashes(stubs), [])
})

t.test('so does one that has ended, or has another name now', async (t) => {
  const { table, ask, tenants, opened } = tableFor(t)
  t.equal(await ask(FIRST), 'good')
  table.set(FIRST, 'former')
  t.equal(await ask(OTHER), 'good')
  t.equal(await ask(FIRST), 'good')
  t.same(opened.map(({ name, closed }) => [name, closed]), [['acme', 1], ['acme', 0], ['former', 0]])
  t.equal(tenants.byName('former'), opened[2])
})

t.test('while the function fails for the one that has the name, the other one is a 503', async (t) => {
  const clocks = clocksFor(t)
  let fails = false
  const { ask } = tenantsFor(t, (issuer) => {
    if (issuer === FIRST && fails) throw new Error('no')
    return { issuer, name: 'acme' }
  })
  t.equal(await ask(FIRST), 'good')
  fails = true
  t.equal(await ask(OTHER), 'issuers_failed')
  clocks.advance(2)
  t.equal(await ask(FIRST), 'good')
})
