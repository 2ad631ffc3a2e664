import t from 'tap'
import { BackgroundRetry } from '../../lib/util/background-retry.js'
import { until } from '../support/app.js'

const DELAYS = { first: 20, most: 40, jitter: 0.5, lengthens: undefined }

t.test('an attempt that fails is made again until it succeeds, and then no more', async (t) => {
  let attempts = 0
  const retry = new BackgroundRetry(async () => {
    attempts++
    if (attempts < 4) throw new Error('not yet')
  }, DELAYS)
  retry.attemptSoon()
  retry.attemptSoon()
  t.equal(attempts, 0, 'after the first delay')
  await until(() => attempts === 4)
  t.equal(retry.failing, false)
  t.equal(retry.waits, false)
})

t.test('all who ask during an attempt join it, and an attempt that was asked for meanwhile follows it', async (t) => {
  const ends: Array<() => void> = []
  let over = 0
  const retry = new BackgroundRetry(() => new Promise<void>((resolve) => { ends.push(resolve) }), DELAYS, () => { over++ })
  const attempts = [retry.attemptNow(), retry.attemptNow()]
  t.equal(ends.length, 1)
  retry.attemptSoon()
  ends[0]!()
  await Promise.all(attempts)
  t.equal(over, 1)
  await until(() => ends.length === 2)
  ends[1]!()
  await retry.underWay
  t.equal(retry.underWay, undefined)
})

t.test('one that is closed makes no more attempts of its own accord', async (t) => {
  let attempts = 0
  const retry = new BackgroundRetry(async () => {
    attempts++
    throw new Error('never')
  }, DELAYS)
  await t.rejects(retry.attemptNow())
  t.equal(retry.waits, true)
  retry.close()
  retry.attemptSoon()
  await t.rejects(retry.attemptNow(), 'but for those that are asked for')
  t.equal(attempts, 2)
})
