import t from 'tap'
import { TaskLimit } from '../../lib/util/task-limit.js'

t.test('as many tasks run at once as are allowed, the others in their order', async (t) => {
  const limit = new TaskLimit(2)
  const ends: Array<() => void> = []
  const begun: string[] = []
  const task = (name: string) => limit.run(async () => {
    begun.push(name)
    await new Promise<void>((resolve) => { ends.push(resolve) })
    return name
  })
  const results = Promise.all(['a', 'b', 'c', 'd'].map(task))
  t.same(begun, ['a', 'b'])
  ends[1]!()
  await new Promise(setImmediate)
  t.same(begun, ['a', 'b', 'c'])
  for (let at = 0; at < 4; at++) {
    ends[at]!()
    await new Promise(setImmediate)
  }
  t.same(await results, ['a', 'b', 'c', 'd'])
  t.equal(await limit.run(async () => 'later'), 'later')
})

t.test('a task that fails gives its place to the next one', async (t) => {
  const limit = new TaskLimit(1)
  const failing = limit.run(async () => { throw new Error('no') })
  const next = limit.run(async () => 'next')
  await t.rejects(failing, { message: 'no' })
  t.equal(await next, 'next')
})
