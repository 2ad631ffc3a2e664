import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { add, comparisonTable, type Comparisons } from '../../benchmarks/comparison.js'
import { chosen, CONTENDERS, type Contender, type Measured } from '../../benchmarks/contenders.js'
import { confidenceOf, ratios, spreadOf } from '../../benchmarks/figures.js'
import { nodesTable } from '../../benchmarks/nodes.js'
import { machine, replaceSection } from '../../benchmarks/report.js'
import { groupsOf, ratioOf, roundRatios, type Samples } from '../../benchmarks/rounds.js'
import { nodeNamed, runServersOn, serverNode, versionOf } from '../../benchmarks/server-node.js'

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
  const groups = groupsOf(CONTENDERS)
  const others = groups.flatMap(({ others }) => others)
  for (const { base, others } of groups) for (const other of others) t.equal(other.base, base.name)
  const alone = groups.map(({ base }) => base).filter(({ base }) => base === undefined)
  t.same([...others, ...alone].map(({ name }) => name).sort(), CONTENDERS.map(({ name }) => name).sort())
  const named = (...names: string[]) => groupsOf(chosen(names)).map(({ base, others }) => [base.name, ...others.map(({ name }) => name)])
  t.same(named('bare'), [['bare']])
  t.same(named('keycloak-connect', 'bare-call'), [['bare-call'], ['express', 'keycloak-connect']], 'a base without its own')
  const elsewhere = (of: readonly Contender[]) => groupsOf(of).filter(({ reportedElsewhere }) => reportedElsewhere).map(({ base }) => base.name)
  t.same(elsewhere(CONTENDERS), ['express'])
  t.same(elsewhere(chosen(['keycloak-connect'])), [], 'its figures are those of its only group')
})

test('contenders are chosen by their names', async (t) => {
  t.equal(chosen(undefined), CONTENDERS)
  t.throws(() => chosen(['none']), /--only: there is no contender "none"; there are bare, ours/)
})

test('the ratio of two contenders is taken second by second, or by way of their base', async (t) => {
  const results = new Map<string, Samples[]>([
    ['verify-100k', [{ own: at(100, 10) }]],
    ['ours-100k', [{ own: at(80, 8), baseline: at(100, 10) }, { own: at(70, 7), baseline: at(100, 10) }, { own: at(5), baseline: at(5) }]],
    ['jose-100k', [{ own: at(40, 4), baseline: at(100, 10) }, { own: at(350), baseline: at(1000) }, { own: at(2), baseline: at(5) }]]
  ])
  t.same(roundRatios(results.get('ours-100k')!, 'perCpu'), [0.8, 0.7, 1])
  t.same(roundRatios(results.get('verify-100k')!, 'rate'), [], 'a base has none')
  t.equal(ratioOf(CONTENDERS, results, 'ours-100k', 'verify-100k'), 0.8)
  t.equal(ratioOf(CONTENDERS, results, 'ours-100k', 'jose-100k').toFixed(9), (2).toFixed(9))
})

test('the range of a median leaves out what lies beyond it with a probability of 10 %', async (t) => {
  t.same(confidenceOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
  t.same(confidenceOf([5, 1, 4, 2, 3, 7, 6]), { median: 4, min: 1, max: 7 }, 'all of seven')
  t.same(confidenceOf([5, 1, 4, 2, 3, 7, 6, 8]), { median: 4.5, min: 2, max: 7 }, 'eight without the least and the greatest')
  t.same(confidenceOf(Array.from({ length: 11 }, (_, at) => at + 1)), { median: 6, min: 3, max: 9 })
})

test('a build is within 3 % if the whole range is, and is not if none of it is', async (t) => {
  const comparisons: Comparisons = new Map()
  const ofRounds = (name: string, values: number[], moreIsBetter = false) => values.forEach((ours) => add(comparisons, name, 100, ours, undefined, moreIsBetter))
  ofRounds('faster', [50, 60, 101, 102, 103])
  ofRounds('slower', [104, 105, 106, 107, 108])
  ofRounds('noisy', [90, 95, 100, 105, 110])
  ofRounds('more requests', [97, 98, 99, 150, 160], true)
  ofRounds('fewer requests', [96, 95, 94, 93, 92], true)
  ofRounds('too few rounds', [100, 100, 100, 100])
  const verdicts = comparisonTable(comparisons).split('\n').slice(2).map((row) => row.split('|').map((cell) => cell.trim()))
  t.same(verdicts.map(([, name, , , ratio, range, verdict]) => [name, ratio, range, verdict]), [
    ['faster', '1.010', '0.500–1.030', 'yes'],
    ['slower', '1.060', '1.040–1.080', 'NO'],
    ['noisy', '1.000', '0.900–1.100', 'undecided'],
    ['more requests', '0.990', '0.970–1.600', 'yes'],
    ['fewer requests', '0.940', '0.920–0.960', 'NO'],
    ['too few rounds', '1.000', '1.000–1.000', 'undecided']
  ])
})

test('the page has a section for each part, which is replaced and can be replaced again', async (t) => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')
  for (const name of ['targets', 'throughput', 'nodes', 'capabilities', 'start', 'memory', 'growth', 'micro']) {
    const once = replaceSection(page, name, 'figures of today')
    t.match(once, 'figures of today')
    const twice = replaceSection(once, name, 'figures of tomorrow')
    t.notMatch(twice, 'figures of today')
    t.equal(replaceSection(twice, name, 'figures of today'), once, 'and nothing around it has changed')
  }
  t.throws(() => replaceSection(page, 'none', ''), /no section between "<!-- none: .*" and "<!-- end of none -->"/)
})

test('the servers run on the Node that is named', async (t) => {
  runServersOn(process.execPath)
  t.equal(serverNode(), process.execPath)
  t.equal(versionOf(serverNode()), process.versions.node)
  t.match(machine(), `Node ${process.versions.node}, `)
  t.match(machine('20.20.2, 24.22.3'), 'Node 20.20.2, 24.22.3, ')
  t.throws(() => runServersOn('none/node'), /--node: there is no file none\/node; give one of 20, 24, 26, or the path of a Node/)
  t.throws(() => nodeNamed('25'), /there is no file 25/)
  t.throws(() => versionOf('/bin/false'), /is no Node that runs here/)
  t.equal(serverNode(), process.execPath, 'a mistake changes nothing')
})

test('the ratios on each Node are those of the same seconds', async (t) => {
  const on = (bare: number, ours: number) => ({
    bare: [at(bare, bare / 10)], ours: [at(ours, ours / 10)], 'bare-1000': [at(bare)], 'ours-1000': [at(ours)], 'verify-100k': [at(50)], 'ours-100k': [at(40)], 'jose-100k': [at(32)]
  })
  const steps = new Map([['crypto.verify', { 20: [30_000, 32_000, 90_000], 24: [29_400], 26: [28_000] }]])
  const rows = nodesTable(['20.20.2', '24.22.3', '26.12.1'], { 20: on(100, 80), 24: on(1000, 900), 26: on(2000, 1900) }, steps).split('\n').map((row) => row.split('|').map((cell) => cell.trim()).slice(1, -1))
  t.same(rows[0], ['', 'Node 20.20.2', 'Node 24.22.3', 'Node 26.12.1'])
  t.same(rows[2], ['one hot token, of bare', '0.80 (0.80–0.80)', '0.90 (0.90–0.90)', '0.95 (0.95–0.95)'])
  t.same(rows[8]!.slice(0, 2), ['new tokens, of jose', '1.25 (1.25–1.25)'])
  t.same(rows[10], ['bare, requests/s', '55', '550', '1,100'])
  t.same(rows.at(-1), ['crypto.verify, µs of processor time in one process', '32.0', '29.4', '28.0'])
})

function at (...rates: number[]): Measured[] {
  return rates.map((rate) => ({ rate, p50: 1, p99: 1, busy: 1, perCpu: rate }))
}
