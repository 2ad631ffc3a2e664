// The processor time of the plugin's whole hook with one capability, in turn with that of a plain Bearer token, in one process without
// sockets. A process has one capability only, because V8 compiles the hook for the kinds of objects that it has seen there.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import { CAPABILITIES, capabilityClaims, DPOP, PLAIN, ROUTE, setUpOf } from './capabilities.mjs'
import { returningClientCosts } from './proof-steps.mjs'
import { closeApis, copies, costsInTurn, heldRequest, stepApi, stepRealm } from './step-realm.mjs'

/** The steps beside the capability. */
const BARE = 'a request of Fastify without the plugin'

/**
 * The nanoseconds of a request object without the plugin, and of one with its hook: plain, and with the capability. Each call makes a
 * new one, as Fastify does, because the plugin adds members to it, and writes to it.
 * @param plugins several builds, which take turns
 * @param client makes the proofs of {@link DPOP}
 * @param least microseconds of a block
 */
export async function capabilitySteps (plugins, client, name, claims, { blocks = 21, least } = {}) {
  const realm = await stepRealm({ ...claims, ...capabilityClaims() })
  const bare = Fastify()
  try {
    const [alone] = await costsInTurn([await bareStep(bare, realm.token())], blocks, least)
    const names = name === DPOP ? [PLAIN] : [PLAIN, name]
    const hooks = []
    for (const each of names) for (const plugin of plugins) hooks.push(await hookStep(plugin, realm, each))
    const costs = await costsInTurn(hooks, blocks, least)
    const [plain, more] = [costs.slice(0, plugins.length), costs.slice(plugins.length)]
    if (name === DPOP) for (const plugin of plugins) more.push(await returningClientCosts(plugin, client, realm, blocks))
    return [{ name: BARE, costs: [alone] }, { name: PLAIN, costs: plain }, { name, costs: more }]
  } finally {
    await closeApis()
    await bare.close()
  }
}

async function hookStep (plugin, realm, name) {
  const { options, config } = setUpOf(name, realm.issuer)
  const { request, reply, hook, authorizations } = await heldRequest(await stepApi(plugin, realm, options), config, realm.token(), undefined, ROUTE)
  const next = makerOf(request, authorizations)
  const step = options.syncUser === undefined
    ? () => {
        let passed = false
        hook(next(), reply, (error) => { passed = error === undefined })
        return passed
      }
    : () => new Promise((resolve) => hook(next(), reply, (error) => resolve(error === undefined)))
  for (let times = 0; times < 3; times++) {
    if (await step() !== true) throw new Error(`the hook of "${name}" refused a good token`)
  }
  // A channel belongs to the process, so its listener is there while its own blocks are measured.
  const { channels = [] } = CAPABILITIES[name]
  const listen = () => {}
  step.begin = () => { for (const channel of channels) subscribe(channel, listen) }
  step.end = () => { for (const channel of channels) unsubscribe(channel, listen) }
  return step
}

async function bareStep (app, token) {
  const arrived = new Promise((resolve) => app.get(ROUTE, async (request) => resolve(request)))
  await app.inject('/profile')
  const next = makerOf(await arrived, copies(`Bearer ${token}`))
  let last
  return () => {
    last = next()
    return last !== undefined
  }
}

/** @returns a function that makes requests like one that Fastify made, with one copy of the header after the other */
function makerOf (request, authorizations) {
  const { constructor: Request, id, params, raw, query, log } = request
  const context = request[Object.getOwnPropertySymbols(request).find(({ description }) => description === 'fastify.context')]
  let calls = 0
  return () => {
    raw.headers.authorization = authorizations[calls++ & 1023]
    return new Request(id, params, raw, query, log, context)
  }
}
