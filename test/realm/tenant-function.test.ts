// The function `issuers` may throw, hang and return anything.
import t from 'tap'
import { WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { type Entry, entryOf, issuer, type Stubs, tenantsFor } from '../support/tenants.js'

const A = issuer('a')

function warnings ({ log }: Stubs): string[] {
  return log.lines.filter(({ level }) => level === WARN).map(({ msg, reasonCode }) => {
    t.equal(reasonCode, 'issuers_failed')
    return msg.replace('; tokens of this issuer are 503, and the function is called again a second later', '')
  })
}

class Row {
  get issuer (): string { return A }
  get name (): string { return 'a' }
}

const USABLE: Record<string, unknown> = {
  'a promise of a promise': Promise.resolve(Promise.resolve(entryOf(A))),
  'a thenable': { then: (resolve: (entry: Entry) => void) => resolve(entryOf(A)) },
  'a frozen object': Object.freeze(entryOf(A)),
  'an instance of a class with getters': new Row()
}

for (const [name, entry] of Object.entries(USABLE)) {
  t.test(`${name} is an entry`, async (t) => {
    const stubs = tenantsFor(t, () => entry)
    t.equal(await stubs.ask(A), 'good')
    t.same(warnings(stubs), [])
  })
}

const throwing = (thrown: unknown) => (): never => { throw thrown }
const rejecting = (thrown: unknown) => async (): Promise<never> => { throw thrown }
const NO_CODE = 'the function issuers threw an error without a code'

/** What a function does, and the warning about it. */
const FAULTS: Record<string, [(iss: string) => unknown, string]> = {
  'throws an error': [throwing(new Error('select * from secrets')), NO_CODE],
  'rejects with an error that has a code': [rejecting(Object.assign(new Error('10.0.0.1:5432 refused'), { code: 'ECONNREFUSED' })), 'the function issuers threw ECONNREFUSED'],
  'rejects with a sentence of ours': [rejecting(new Error('fastify-keycloak-bearer: ' + A)), NO_CODE],
  'throws undefined': [throwing(undefined), NO_CODE],
  'rejects with null': [rejecting(null), NO_CODE],
  'throws what throws when it is read': [throwing({ get code () { throw new Error('no') } }), NO_CODE],
  'returns a thenable that throws': [() => ({ then () { throw new Error('no') } }), NO_CODE],
  'returns undefined': [() => undefined, 'the function issuers returned undefined, and neither an entry nor null'],
  'returns true': [() => true, 'the function issuers returned true, and neither an entry nor null'],
  'returns a URL in text': [() => A, 'the function issuers returned a string, and neither an entry nor null'],
  'returns a list': [() => [entryOf(A)], 'the function issuers returned an array, and neither an entry nor null'],
  'returns a function': [() => entryOf, 'the function issuers returned a function, and neither an entry nor null'],
  'returns the entry of another issuer': [() => entryOf(issuer('b')), 'the function issuers returned an entry of another issuer than it was asked about'],
  'returns an entry without issuer': [() => ({ name: 'a' }), 'the function issuers returned an entry of another issuer than it was asked about']
}

for (const [name, [find, warning]] of Object.entries(FAULTS)) {
  t.test(`a function that ${name} is a 503, one warning, and is called again after a second`, async (t) => {
    const clocks = clocksFor(t)
    const stubs = tenantsFor(t, find)
    const { ask, asked, opened } = stubs
    t.same(await Promise.all([ask(A), ask(A)]), ['issuers_failed', 'issuers_failed'])
    t.equal(await ask(A), 'issuers_failed')
    t.equal(asked.length, 1)
    clocks.advance(0.5)
    await ask(A)
    t.equal(asked.length, 1)
    clocks.advance(0.6)
    t.equal(await ask(A), 'issuers_failed')
    t.equal(asked.length, 2)
    t.same(opened, [])
    t.same(warnings(stubs), [warning])
    t.notMatch(stubs.log.text, /sso\.example|secrets|10\.0\.0\.1/)
  })
}

t.test('a function that hangs is a 503 after its deadline, and what it returns later counts for nothing', async (t) => {
  const clocks = clocksFor(t)
  const answers: Array<(entry: unknown) => void> = []
  const stubs = tenantsFor(t, () => new Promise((resolve) => answers.push(resolve)), { timeout: 20 })
  t.equal(await stubs.ask(A), 'issuers_failed')
  answers[0]!(entryOf(A))
  t.equal(await stubs.ask(A), 'issuers_failed')
  clocks.advance(1.1)
  const late = stubs.ask(A)
  answers[1]!(entryOf(A))
  t.equal(await late, 'good')
  t.same(warnings(stubs), ['the function issuers has not answered within 20 ms'])
})

t.test('one issuer for which the function fails takes nothing from another', async (t) => {
  const { ask } = tenantsFor(t, (iss) => iss === A ? Promise.reject(new Error('no')) : entryOf(iss))
  t.same(await Promise.all([ask(A), ask(issuer('b'))]), ['issuers_failed', 'good'])
})

t.test('a wrong entry is warned of in the words of its option, with the issuer that it has', async (t) => {
  const parse = (): never => { throw new TypeError('fastify-keycloak-bearer: option "issuers().leeway" is unknown') }
  const stubs = tenantsFor(t, entryOf, { parse })
  t.equal(await stubs.ask(A), 'issuers_failed')
  t.same(warnings(stubs), ['the function issuers returned a wrong entry: option "issuers().leeway" is unknown'])
  t.match(stubs.log.lines.filter(({ level }) => level === WARN), [{ iss: A }])
})

t.test('the issuer of a wrong entry that is of another issuer stays out of the log', async (t) => {
  const stubs = tenantsFor(t, () => ({ issuer: issuer('b') }), { parse: throwing(new TypeError('fastify-keycloak-bearer: wrong')) })
  t.equal(await stubs.ask(A), 'issuers_failed')
  t.same(warnings(stubs), ['the function issuers returned a wrong entry: wrong'])
  t.notMatch(stubs.log.text, 'realms')
})

t.test('the text of an error that reading an entry throws stays out of the log', async (t) => {
  for (const thrown of [new TypeError('secret'), Object.assign(new Error('fastify'), { message: 4711 }), undefined]) {
    const stubs = tenantsFor(t, entryOf, { parse: throwing(thrown) })
    t.equal(await stubs.ask(A), 'issuers_failed')
    t.same(warnings(stubs), ['the function issuers returned a wrong entry: an error without a code'])
  }
})

t.test('a realm that cannot be opened is a 503, and opened later', async (t) => {
  const clocks = clocksFor(t)
  let failures = 1
  const first = tenantsFor(t)
  const stubs = tenantsFor(t, entryOf, {
    async open (entry) {
      if (failures-- > 0) throw new Error('fastify-keycloak-bearer: Keycloak is away')
      await first.ask(entry.issuer)
      return first.opened[0]!
    }
  })
  t.equal(await stubs.ask(A), 'issuers_failed')
  clocks.advance(1.1)
  t.equal(await stubs.ask(A), 'good')
  t.same(warnings(stubs), ['the realm of an entry of the function issuers cannot be opened: Keycloak is away'])
})

t.test('null is an unknown issuer for a minute', async (t) => {
  const clocks = clocksFor(t)
  const stubs = tenantsFor(t, () => null)
  t.equal(await stubs.ask(A), 'issuer_unknown')
  clocks.advance(59)
  t.equal(await stubs.ask(A), 'issuer_unknown')
  t.equal(stubs.asked.length, 1)
  clocks.advance(2)
  t.equal(await stubs.ask(A), 'issuer_unknown')
  t.equal(stubs.asked.length, 2)
  t.same(warnings(stubs), [])
})
