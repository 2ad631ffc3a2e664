import { createHook } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { holdTick } from '../lib/ticks.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** The ticks that are made meanwhile, none of them held on to. */
function ticksOf (action: () => void): Array<WeakRef<object>> {
  const ticks: Array<WeakRef<object>> = []
  const hook = createHook({ init: (_id, type, _trigger, resource) => { if (type === 'TickObject') ticks.push(new WeakRef(resource)) } })
  hook.enable()
  action()
  hook.disable()
  return ticks
}

/** What a WeakRef was asked for stays until the turn of the event loop is over. */
async function alive (ticks: ReadonlyArray<WeakRef<object>>): Promise<number> {
  await sleep(1)
  collect()
  return ticks.filter((tick) => tick.deref() !== undefined).length
}

t.test('a tick is kept until it is let go of', async (t) => {
  let letGo = (): void => {}
  const ticks = ticksOf(() => { letGo = holdTick() })
  t.equal(ticks.length, 1)
  t.equal(await alive(ticks), 1)
  letGo()
  t.equal(await alive(ticks), 0)
})

t.test('others are not', async (t) => {
  const ticks = ticksOf(() => process.nextTick(() => {}))
  t.equal(await alive(ticks), 0)
})

for (const runtime of ['bun', 'deno']) {
  t.test(`${runtime} is not asked for one`, async (t) => {
    const { versions } = process
    Object.defineProperty(process, 'versions', { value: { ...versions, [runtime]: '1.0.0' }, configurable: true })
    t.teardown(() => Object.defineProperty(process, 'versions', { value: versions }))
    t.same(ticksOf(() => holdTick()()), [])
  })
}
