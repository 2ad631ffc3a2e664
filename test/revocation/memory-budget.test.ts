import t from 'tap'
import { MemoryBudget } from '../../lib/revocation/memory-budget.js'

t.test('a group with more than its share makes room before whoever was there first', async (t) => {
  const budget = new MemoryBudget()
  const dropped: string[] = []
  const enter = (group: string): void => budget.reserve({ group, bytes: 8000, evict: () => { dropped.push(group) } })
  enter('first')
  for (let at = 0; at < 3000; at++) enter('crowd')
  t.ok(dropped.length > 0)
  t.notOk(dropped.includes('first'))
})

t.test('where no group has more than its share the oldest of all makes room', async (t) => {
  const budget = new MemoryBudget()
  const dropped: number[] = []
  for (let at = 0; at < 3000; at++) budget.reserve({ group: `kid ${at}`, bytes: 8000, evict: () => { dropped.push(at) } })
  t.ok(dropped.length > 0)
  t.same(dropped, dropped.map((_, at) => at))
})
