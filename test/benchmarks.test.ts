import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { replaceSection } from '../benchmarks/sections.js'
import { ratios, spreadOf } from '../benchmarks/statistics.js'

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

test('the page has a section for each part, which is replaced and can be replaced again', async (t) => {
  const page = readFileSync(new URL('../docs/performance.md', import.meta.url), 'utf8')
  for (const name of ['targets', 'throughput', 'start', 'memory', 'growth', 'micro']) {
    const once = replaceSection(page, name, 'figures of today')
    t.match(once, 'figures of today')
    const twice = replaceSection(once, name, 'figures of tomorrow')
    t.notMatch(twice, 'figures of today')
    t.equal(replaceSection(twice, name, 'figures of today'), once, 'and nothing around it has changed')
  }
  t.throws(() => replaceSection(page, 'none', ''), /no section between "<!-- none: .*" and "<!-- end of none -->"/)
})
