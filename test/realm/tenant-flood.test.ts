// Strangers can name as many issuers as they like: that costs a bounded number of calls, and nothing to known tenants.
import t, { type Test } from 'tap'
import { until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { entryOf, issuer, type Stubs, tenantsFor } from '../support/tenants.js'

const stranger = (at: number): string => issuer(`stranger-${at}`)

const isStranger = (iss: string): boolean => iss.includes('stranger')

/** How many of the answers say what. */
function counted (answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1
  return counts
}

/** A function whose answers are held up; all but strangers are tenants. */
function heldFor (t: Test, maxIssuers?: number): Stubs & { held: Map<string, () => void>, release: () => void } {
  const held = new Map<string, () => void>()
  const stubs = tenantsFor(t, (iss) => new Promise((resolve) => {
    held.set(iss, () => {
      held.delete(iss)
      resolve(isStranger(iss) ? null : entryOf(iss))
    })
  }), { ...(maxIssuers !== undefined && { maxIssuers }) })
  return { held, release: () => { for (const answer of [...held.values()]) answer() }, ...stubs }
}

t.test('ten thousand issuers that nobody knows are a hundred calls, and the others are 503', async (t) => {
  const { ask, asked, closing } = tenantsFor(t, (iss) => isStranger(iss) ? null : entryOf(iss))
  t.equal(await ask(issuer('a')), 'good')
  const began = performance.now()
  const answers = Promise.all(Array.from({ length: 10_000 }, (_, at) => ask(stranger(at))))
  t.equal(await ask(issuer('a')), 'good')
  await until(() => asked.length > 100)
  const known = asked.slice(1)
  t.same(counted(await Promise.all(known.map((iss) => ask(iss)))), { issuer_unknown: known.length })
  // Those that still wait would be 503 by and by.
  closing.finish()
  const counts = counted(await answers)
  t.ok(asked.length <= 101 + (performance.now() - began) / 100, `${asked.length} calls`)
  t.equal(counts.issuers_busy, 9000)
  t.equal(counts.issuer_unknown, asked.length - 1)
})

t.test('calls for strangers are made twelve at a time', async (t) => {
  const { ask, asked, held, release } = heldFor(t)
  const answers = Promise.all(Array.from({ length: 30 }, (_, at) => ask(stranger(at))))
  await until(() => held.size === 12)
  release()
  await until(() => held.size === 12)
  release()
  await until(() => held.size === 6)
  release()
  t.same(counted(await answers), { issuer_unknown: 30 })
  t.equal(asked.length, 30)
})

t.test('a tenant that returns is asked about at once, while strangers hold up all of their calls', async (t) => {
  const { ask, held, release, tenants, closing } = heldFor(t, 1)
  for (const name of ['a', 'b']) {
    const answer = ask(issuer(name))
    release()
    t.equal(await answer, 'good')
  }
  t.equal(tenants.byName('a'), undefined)
  const strangers = Promise.all(Array.from({ length: 2000 }, (_, at) => ask(stranger(at))))
  await until(() => held.size === 12)
  const returned = ask(issuer('a'))
  t.ok(held.has(issuer('a')))
  held.get(issuer('a'))!()
  t.equal(await returned, 'good')
  closing.finish()
  await strangers
})

t.test('a tenant that has ended is asked about like a stranger', async (t) => {
  const clocks = clocksFor(t)
  const ended = new Set<string>()
  let hanging = 0
  const { ask, asked, closing } = tenantsFor(t, (iss) => {
    if (!isStranger(iss)) return ended.has(iss) ? null : entryOf(iss)
    hanging++
    return new Promise(() => {})
  }, { maxIssuers: 1 })
  for (const name of ['a', 'b', 'c']) t.equal(await ask(issuer(name)), 'good')
  ended.add(issuer('a'))
  t.equal(await ask(issuer('a')), 'issuer_unknown')
  clocks.advance(61)
  const strangers = Promise.all(Array.from({ length: 12 }, (_, at) => ask(stranger(at))))
  await until(() => hanging === 12)
  const calls = asked.length
  const late = ask(issuer('a'))
  t.equal(await ask(issuer('b')), 'good')
  t.same(asked.slice(calls), [issuer('b')])
  closing.finish()
  t.equal(await late, 'api_closing')
  await strangers
})

t.test('the issuer of several requests is asked about before those of one each, and stays when there are too many', async (t) => {
  const { ask, asked, held, release, closing } = heldFor(t)
  const strangers = Promise.all(Array.from({ length: 20 }, (_, at) => ask(stranger(at))))
  await until(() => held.size === 12)
  const tenant = [ask(issuer('a')), ask(issuer('a'))]
  const more = Promise.all(Array.from({ length: 2000 }, (_, at) => ask(stranger(100 + at))))
  release()
  await until(() => held.size === 12)
  t.equal(asked[12], issuer('a'))
  release()
  t.same(await Promise.all(tenant), ['good', 'good'])
  closing.finish()
  await Promise.all([strangers, more])
})

t.test('requests that wait for one issuer are bounded as well, and give way to none', async (t) => {
  const { ask, held, release } = heldFor(t)
  const waiting = Array.from({ length: 1000 }, () => ask(issuer('a')))
  t.equal(await ask(stranger(1)), 'issuers_busy')
  t.equal(await ask(issuer('a')), 'issuers_busy')
  await until(() => held.size === 1)
  release()
  t.same(counted(await Promise.all(waiting)), { good: 1000 })
})

t.test('a request does not displace the one that it would wait together with', async (t) => {
  const { ask, held, release, asked } = heldFor(t)
  const others = Array.from({ length: 12 }, (_, at) => ask(stranger(at)))
  await until(() => held.size === 12)
  const first = ask(issuer('a'))
  const crowd = Array.from({ length: 987 }, () => ask(stranger(0)))
  const second = ask(issuer('a'))
  t.equal(await second, 'issuers_busy')
  release()
  await until(() => held.size === 1)
  release()
  t.equal(await first, 'good')
  t.equal(asked.length, 13)
  await Promise.all([...others, ...crowd])
})

t.test('strangers who name tenants cause a bounded number of calls, and returning tenants are served', async (t) => {
  const { ask, asked, opened, closing } = tenantsFor(t, entryOf, { maxIssuers: 2 })
  for (const name of ['a', 'b', 'c']) t.equal(await ask(issuer(name)), 'good')
  const began = performance.now()
  const forged = Promise.all(Array.from({ length: 3000 }, (_, at) => ask(issuer(`named-${at}`), 'forged')))
  t.equal(await ask(issuer('a')), 'good')
  await until(() => asked.length > 100)
  closing.finish()
  const counts = counted(await forged)
  t.ok(asked.length <= 104 + (performance.now() - began) / 100, `${asked.length} calls`)
  t.equal(counts.refused, asked.length - 4)
  t.ok(opened.filter(({ closed }) => closed === 0).length <= 2 + 32 + 16)
})

t.test('after a flood there are calls again with time', async (t) => {
  const clocks = clocksFor(t)
  const { ask, asked } = tenantsFor(t, (iss) => isStranger(iss) ? null : entryOf(iss))
  for (let at = 0; at < 100; at++) await ask(stranger(at))
  clocks.advance(1)
  for (let at = 100; at < 110; at++) t.equal(await ask(stranger(at)), 'issuer_unknown')
  t.equal(asked.length, 110)
})

t.test('a stranger that comes after a flood waits for the next call, and gets it', async (t) => {
  const { ask, asked } = tenantsFor(t, (iss) => isStranger(iss) ? null : entryOf(iss))
  let now = performance.now()
  t.intercept(performance, 'now', { value: () => now })
  for (let at = 0; at < 100; at++) await ask(stranger(at))
  const late = ask(stranger(100))
  t.equal(asked.length, 100)
  now += 100
  t.equal(await late, 'issuer_unknown')
})

t.test('tenants do not use up the calls for strangers, however many are new', async (t) => {
  clocksFor(t)
  const { ask } = tenantsFor(t)
  for (let at = 0; at < 300; at++) t.equal(await ask(issuer(`tenant-${at}`)), 'good')
})

t.test('tokens of one tenant that are never decided on hold no place of another', async (t) => {
  const { ask, tenants } = tenantsFor(t, entryOf, { maxIssuers: 1 })
  for (let at = 0; at < 20; at++) {
    t.equal(await ask(issuer(`held-${at}`), 'forged'), 'refused')
    void ask(issuer(`held-${at}`), 'slow')
  }
  t.equal(await ask(issuer('a')), 'good')
  t.equal([...tenants.all()].length, 21)
})

t.test('nor does a tenant that was refused between being found and being asked', async (t) => {
  const { ask, tenants } = tenantsFor(t)
  for (let at = 0; at < 20; at++) await tenants.byIssuer(issuer(`${at}`))
  t.equal(await ask(issuer('a')), 'good')
})
