// Parts that no request shows: memory that is given back, and handlers of undici 6.
import { mock } from 'node:test'
import t from 'tap'
import { handlerOf } from '../../lib/outbound/former-handler.js'
import { KeptToken, momentOfNow } from '../../lib/outbound/kept-token.js'
import { KeptTokens } from '../../lib/outbound/kept-tokens.js'

t.test('tokens that are over leave the memory though nobody asks for them', async (t) => {
  mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const kept = new KeptTokens({ max: 10, maxBytes: 10_000 })
  kept.keep('short', new KeptToken('a', momentOfNow(), 60))
  kept.keep('long', new KeptToken('b', momentOfNow(), 90))
  mock.timers.tick(30_000)
  t.equal(kept.find('short')?.token, 'a')
  mock.timers.tick(30_000)
  t.equal(kept.find('short'), undefined)
  t.equal(kept.find('long')?.token, 'b')
  mock.timers.tick(60_000)
  t.equal(kept.find('long'), undefined)
  kept.keep('again', new KeptToken('c', momentOfNow(), 60))
  mock.timers.tick(90_000)
  t.equal(kept.find('again'), undefined, 'the search begins again')
  kept.close()
  kept.keep('late', new KeptToken('d', momentOfNow(), 60))
  t.equal(kept.find('late'), undefined)
})

t.test('a token is forgotten only if it is still the one that is kept', async (t) => {
  const kept = new KeptTokens({ max: 10, maxBytes: 10_000 })
  t.teardown(() => kept.close())
  const [first, second] = [new KeptToken('a', momentOfNow(), 300), new KeptToken('b', momentOfNow(), 300)]
  kept.keep('key', first)
  kept.forget('key', undefined)
  t.equal(kept.find('key'), first, 'a call that began with none')
  kept.keep('key', second)
  kept.forget('key', first)
  t.equal(kept.find('key'), second)
  kept.forget('key', second)
  t.equal(kept.find('key'), undefined)
})

t.test('a handler of undici 6 is called with what it has', async (t) => {
  const calls: unknown[] = []
  const controller = { abort: (reason: Error) => calls.push(reason.message), pause: () => calls.push('pause'), resume: () => calls.push('resume') } as never
  const headers = { 'set-cookie': ['a', 'b'], none: undefined } as never
  const full = handlerOf({
    onConnect: (abort: (reason?: Error) => void) => {
      abort()
      abort(new Error('mine'))
    },
    onHeaders: (status: number, raw: Buffer[], resume: () => void) => {
      calls.push(status, raw.map(String))
      resume()
      return false
    },
    onData: () => false,
    onUpgrade: (status: number) => calls.push(status),
    onComplete: (trailers: Buffer[]) => calls.push(trailers.length),
    onError: (error: Error) => calls.push(error.message)
  })
  for (const handler of [full, handlerOf({})]) {
    handler.onRequestStart!(controller, {})
    handler.onRequestUpgrade!(controller, 101, headers, {} as never)
    handler.onResponseStart!(controller, 200, headers, 'OK')
    handler.onResponseData!(controller, Buffer.from('x'))
    handler.onResponseEnd!(controller, {})
    handler.onResponseError!(controller, new Error('lost'))
  }
  t.same(calls, ['the request was aborted', 'mine', 101, 200, ['set-cookie', 'a', 'set-cookie', 'b'], 'resume', 'pause', 'pause', 0, 'lost'])
})
