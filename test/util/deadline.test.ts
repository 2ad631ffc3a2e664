import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Deadline } from '../../lib/util/deadline.js'
import { withDeadline } from '../../lib/util/with-timeout.js'

const late = (): Error => new Error('late')

t.test('a deadline that passes before any step has begun ends the first one at once', async (t) => {
  const deadline = new Deadline(1)
  await sleep(100)
  await t.rejects(withDeadline(new Promise(() => {}), deadline, late), { message: 'late' })
})

t.test('a deadline that passed in one step ends the next one, too', async (t) => {
  const deadline = new Deadline(1)
  for (const step of ['first', 'second']) await t.rejects(withDeadline(new Promise(() => {}), deadline, late), { message: 'late' }, step)
})

t.test('a deadline that is cleared ends nothing', async (t) => {
  const deadline = new Deadline(20)
  const ended = withDeadline(new Promise(() => {}), deadline, late).then(() => 'ended', () => 'ended')
  deadline.clear()
  t.equal(await Promise.race([ended, sleep(150, 'waits')]), 'waits')
})
