// Some seconds of what `npm run soak` does for minutes, with fewer senders. No clock decides: a trouble lasts until the APIs
// notice it; calm begins when all earlier requests are answered and the APIs are healthy, and lasts for a number of answers.
import t from 'tap'
import type { Health } from '../../types/instance.js'
import type { KeycloakOptions } from '../../types/options.js'
import { realmFor, until } from '../support/app.js'
import { type Api, startApi } from './child.js'
import { kindsOf, type Trouble, troublesOf } from './issuer.js'
import { startLoad } from './load.js'

const LOAD = { senders: 2, patient: 4, pause: 4 }

/** 503s, or calls of introspection that wait, by which an API shows that it has noticed a trouble. */
const NOTICED = 3

/** Answers of each API with the expected status, for each kind that needs Keycloak. */
const CALM = 3

const IN_FLIGHT = 20

/** No call is given up because the machine is busy, and unknown keys are asked for at once. */
const limits: Partial<KeycloakOptions> = { jwks: { timeout: 20_000, cooldown: 100 }, introspection: { timeout: 20_000 } }

t.test('three APIs answer as promised under load, while their issuer gets into one trouble after the other', { timeout: 180_000 }, async (t) => {
  const realm = await realmFor(t)
  const apis: Api[] = await Promise.all([
    startApi('local', { ...realm.options, ...limits }),
    startApi('introspecting', { ...realm.options, ...limits, verifyTokensWithKeycloak: true }),
    startApi('introspecting, cacheTtl 1000', { ...realm.options, ...limits, verifyTokensWithKeycloak: true, introspection: { timeout: 20_000, cacheTtl: 1000 } })
  ])
  t.teardown(() => { for (const api of apis) api.kill() })
  const kinds = kindsOf(realm)
  let troubled = false
  const load = startLoad(apis, kinds, { trouble: () => troubled }, LOAD)
  const counted = (api: Api, status: number, kind = ''): number =>
    [...load.counts].reduce((sum, [key, times]) => key.startsWith(`${api.name}, ${kind}`) && key.endsWith(`: ${status}`) ? sum + times : sum, 0)

  /** Every API answers every kind so many times more as it should. */
  async function calm (name: string): Promise<void> {
    const waitedFor = apis.flatMap((api) => kinds.map((kind) => ({ api, kind, enough: counted(api, kind.expected, kind.name) + CALM })))
    const missing = (): string[] => waitedFor.filter(({ api, kind, enough }) => counted(api, kind.expected, kind.name) < enough).map(({ api, kind }) => `${api.name}, ${kind.name}`)
    await until(() => missing().length === 0)
    t.same(missing(), [], `all kinds are answered: ${name}`)
  }

  async function trouble ({ name, start, effect }: Trouble): Promise<void> {
    const before = apis.map((api) => counted(api, 503))
    const noticed: Record<Trouble['effect'], (api: Api, at: number) => Promise<boolean>> = {
      refusals: async (api, at) => counted(api, 503) >= before[at]! + NOTICED,
      waiting: async (api) => (await api.health()).introspection!.pending > 0,
      none: async () => true
    }
    troubled = true
    await start()
    for (const [index, api] of apis.entries()) {
      if (!api.introspects) continue
      await until(() => noticed[effect](api, index))
      t.ok(await noticed[effect](api, index), `${api.name} notices: the issuer ${name}`)
    }
    await realm.up()
    await load.answered()
    for (const api of apis) {
      await until(async () => healthy(await api.health()))
      t.ok(healthy(await api.health()), `${api.name} is healthy again: the issuer ${name}`)
    }
    troubled = false
    await calm(`the issuer ${name}`)
  }

  await calm('at first')
  const warm = await Promise.all(apis.map((api) => api.usage()))
  for (const each of troublesOf(realm)) await trouble(each)
  await load.stop()
  t.same(Object.fromEntries(load.unexpected), {}, 'no unexpected answer')
  for (const [index, api] of apis.entries()) {
    const leaked = async (): Promise<boolean> => (await api.usage()).sockets > warm[index]!.sockets
    await until(async () => !await leaked())
    t.notOk(await leaked(), `${api.name} has no sockets left over`)
  }
  const [local, introspecting, sharing] = apis as [Api, Api, Api]
  realm.hang()
  const headers = { authorization: kinds[0]!.authorization()!, connection: 'close' }
  const answers = Array.from({ length: IN_FLIGHT }, async () => (await fetch(`${introspecting.url}/profile`, { headers })).status)
  await until(async () => (await introspecting.health()).introspection!.pending === IN_FLIGHT)
  await Promise.all([local.close(), introspecting.close(), sharing.close()])
  t.same(await Promise.all(answers), Array(IN_FLIGHT).fill(503), 'requests in flight are answered while the API closes')
  for (const api of apis) t.same(api.faults, [], `no fault: ${api.name}`)
})

/** Is there no failed call that is not made up for? `ok` alone is true with kept keys as well. */
function healthy ({ keys, introspection }: Health): boolean {
  return keys.ok && (introspection === null || (introspection.ok && introspection.breaker === 'closed'))
}
