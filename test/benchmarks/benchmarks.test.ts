import { readFileSync } from 'node:fs'
import { test } from 'tap'
import type { Measured } from '../../benchmarks/contender.js'
import { chosen, type Contender, CONTENDERS } from '../../benchmarks/contenders.js'
import { heatsOf } from '../../benchmarks/heats.js'
import { between, roundRatios, type Outing } from '../../benchmarks/outings.js'
import { replaceSection } from '../../benchmarks/sections.js'
import { ratios, spreadOf } from '../../benchmarks/statistics.js'

test('the median of an odd and an even number of rounds, with the least and the most', async (t) => {
  t.same(spreadOf([30, 10, 20]), { median: 20, min: 10, max: 30 })
  t.same(spreadOf([4, 1, 100, 2]), { median: 3, min: 1, max: 100 })
  t.throws(() => spreadOf([]), RangeError)
})

test('a ratio is taken within each round, so that a slow round of the machine spoils none', async (t) => {
  const ours = [90, 45, 9]
  const bare = [100, 50, 10]
  t.same(ratios(ours, bare), [0.9, 0.9, 0.9])
  t.equal(spreadOf(ratios(ours, bare)).median, 0.9)
})

test('a round that one of the two lacks makes no ratio', async (t) => {
  t.same(ratios([90, 80], [100]), [0.9])
  t.same(ratios([undefined, 80], [100, 100]), [0.8])
})

test('each contender runs once in a round, in turn with its base', async (t) => {
  const heats = heatsOf(CONTENDERS)
  const others = heats.flatMap(({ others }) => others)
  for (const { base, others } of heats) for (const other of others) t.equal(other.base, base.name)
  const alone = heats.map(({ base }) => base).filter(({ base }) => base === undefined)
  t.same([...others, ...alone].map(({ name }) => name).sort(), CONTENDERS.map(({ name }) => name).sort())
  const named = (...names: string[]) => heatsOf(chosen(names)).map(({ base, others }) => [base.name, ...others.map(({ name }) => name)])
  t.same(named('bare'), [['bare']])
  t.same(named('keycloak-connect', 'bare-call'), [['bare-call'], ['express', 'keycloak-connect']], 'a base without its own')
  const elsewhere = (of: readonly Contender[]) => heatsOf(of).filter(({ runsElsewhere }) => runsElsewhere).map(({ base }) => base.name)
  t.same(elsewhere(CONTENDERS), ['express'])
  t.same(elsewhere(chosen(['keycloak-connect'])), [], 'its figures are those of its only heat')
})

test('contenders are chosen by their names', async (t) => {
  t.equal(chosen(undefined), CONTENDERS)
  t.throws(() => chosen(['none']), /--only: there is no contender "none"; there are bare, ours/)
})

test('what one is of another is taken second by second, or by way of their base', async (t) => {
  const at = (...rates: number[]): Measured[] => rates.map((rate) => ({ rate, p50: 1, p99: 1, busy: 1, perCpu: rate }))
  const results = new Map<string, Outing[]>([
    ['verify-100k', [{ own: at(100, 10) }]],
    ['ours-100k', [{ own: at(80, 8), beside: at(100, 10) }, { own: at(70, 7), beside: at(100, 10) }, { own: at(5), beside: at(5) }]],
    ['jose-100k', [{ own: at(40, 4), beside: at(100, 10) }, { own: at(350), beside: at(1000) }, { own: at(2), beside: at(5) }]]
  ])
  t.same(roundRatios(results.get('ours-100k')!, 'perCpu'), [0.8, 0.7, 1])
  t.same(roundRatios(results.get('verify-100k')!, 'rate'), [], 'a base has none')
  t.equal(between(CONTENDERS, results, 'ours-100k', 'verify-100k'), 0.8)
  t.equal(between(CONTENDERS, results, 'ours-100k', 'jose-100k').toFixed(9), (2).toFixed(9))
})

test('the page has a section for each part, which is replaced and can be replaced again', async (t) => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')
  for (const name of ['targets', 'throughput', 'start', 'memory', 'growth', 'micro']) {
    const once = replaceSection(page, name, 'figures of today')
    t.match(once, 'figures of today')
    const twice = replaceSection(once, name, 'figures of tomorrow')
    t.notMatch(twice, 'figures of today')
    t.equal(replaceSection(twice, name, 'figures of today'), once, 'and nothing around it has changed')
  }
  t.throws(() => replaceSection(page, 'none', ''), /no section between "<!-- none: .*" and "<!-- end of none -->"/)
})
