// The numbers of tokens that came lately: at least the last `max`, and at most twice as many.
import t from 'tap'
import { Doorkeeper } from '../../lib/token/doorkeeper.js'

/** Numbers that spread over the 32 bits, as those of signatures do. */
function number (at: number): number {
  return Math.imul(at + 1, 0x9e3779b1) | 0
}

for (const max of [1, 10, 1000]) {
  t.test(`the last ${max} numbers are remembered, and those before twice as many are not`, (t) => {
    const doorkeeper = new Doorkeeper(max)
    for (let at = 0; at < 10 * max; at++) t.equal(doorkeeper.seenBefore(number(at)), false)
    for (let at = 10 * max - 1; at >= 9 * max; at--) t.equal(doorkeeper.seenBefore(number(at)), true)
    t.equal(doorkeeper.seenBefore(number(0)), false)
    t.equal(doorkeeper.seenBefore(number(7 * max - 1)), false)
    t.end()
  })
}

t.test('numbers that fall on one place are told apart', (t) => {
  const doorkeeper = new Doorkeeper(100)
  for (let at = 1; at <= 50; at++) t.equal(doorkeeper.seenBefore(at * 2 ** 16), false)
  for (let at = 1; at <= 50; at++) t.equal(doorkeeper.seenBefore(at * 2 ** 16), true)
  t.end()
})
