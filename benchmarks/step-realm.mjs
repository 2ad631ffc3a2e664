// A realm and APIs in one process, for the cost of single steps: a key set on a socket, tokens of any size, and the plugin's hook by itself.
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Fastify from 'fastify'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const BLOCK_MICROSECONDS = 10_000

/** The APIs that are open. */
const apis = []

export { publicKey }

/**
 * @param claims of its tokens
 * @param keys the number of keys in the key set; the last one signs
 */
export async function stepRealm (claims, keys = 1) {
  const kid = randomUUID()
  const others = Array.from({ length: keys - 1 }, foreignJwk)
  const body = JSON.stringify({ keys: [...others, { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] })
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(request.method === 'POST' ? '{"active":true}' : body)
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${server.address().port}/realms/acme`
  return {
    issuer,
    bytes: body.length,
    token: (more = {}, key = privateKey) => tokenOf(kid, { ...claims, iss: issuer, exp: Math.floor(Date.now() / 1000) + 86_400, ...more }, key)
  }
}

/** An API of this realm. `hooks` are the onRequest hooks of the plugin, which can be called without Fastify. */
export async function stepApi (plugin, { issuer }, options = {}) {
  const app = Fastify()
  apis.push(app)
  const hooks = []
  const addHook = app.addHook
  app.addHook = function (name, hook) {
    if (name === 'onRequest') hooks.push(hook)
    return addHook.call(this, name, hook)
  }
  await app.register(plugin, { issuer, clientId: 'api', audience: 'api', startCheck: false, ...options })
  app.addHook = addHook
  addHook.call(app, 'onRoute', (route) => hooks.push(...[route.onRequest ?? []].flat()))
  return { app, hooks }
}

/** Closes all APIs, and drops their requests. */
export async function closeApis () {
  for (const app of apis.splice(0)) {
    app.server.closeAllConnections()
    await app.close()
  }
}

/**
 * A request that is in flight, and its way through the plugin's hook with one copy of the header after the other.
 * @param token the token the request comes with
 * @param later the token of the measured calls
 * @param url the route, which has to match `/profile`, unless it is `/`
 */
export async function heldRequest ({ app, hooks }, config, token, later = token, url = '/') {
  const arrived = new Promise((resolve) => app.get(url, { config }, (request, reply) => resolve({ request, reply })))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answered = fetch(`http://127.0.0.1:${app.server.address().port}${url === '/' ? url : '/profile'}`, { headers })
  const refused = answered.then(({ status }) => { throw new Error(`a good request was answered ${status}`) })
  const { request, reply } = await Promise.race([arrived, refused])
  refused.catch(() => {})
  if (hooks.length !== 1) throw new Error(`the plugin has ${hooks.length} hooks for a request, not one`)
  const [hook] = hooks
  const authorizations = later === undefined ? undefined : copies(`Bearer ${later}`)
  let calls = 0
  /** @returns whether the request is allowed */
  const decide = () => {
    let allowed
    hook(request, reply, (error) => { allowed = error === undefined })
    return allowed
  }
  const run = () => {
    request.headers.authorization = authorizations?.[calls++ & 1023]
    return decide()
  }
  return { request, reply, hook, authorizations, decide, run }
}

/** Equal strings that are not the same one, as those of requests: a comparison has to read all their characters. */
export function copies (text, count = 1024) {
  return Array.from({ length: count }, () => Buffer.from(text).toString('latin1'))
}

/**
 * The nanoseconds of processor time of each call, one value per block of `least` microseconds or more. The calls take blocks in turn, forwards and
 * backwards, so that a slower moment of the machine favours none. A call may have a `begin` and an `end`, which are called around its blocks.
 */
export async function costsInTurn (calls, blocks = 15, least = BLOCK_MICROSECONDS) {
  let times = 50
  while (await fastest(calls, times) < least) times *= 2
  const costs = calls.map(() => [])
  const order = [...calls.keys()]
  for (let block = 0; block < blocks; block++) {
    for (const at of block % 2 === 0 ? order : order.toReversed()) costs[at].push(await microseconds(calls[at], times) * 1000 / times)
  }
  return costs
}

async function fastest (calls, times) {
  let least = Infinity
  for (const call of calls) least = Math.min(least, await microseconds(call, times))
  return least
}

async function microseconds (call, times) {
  call.begin?.()
  const { user, system } = process.cpuUsage()
  for (let at = 0; at < times; at++) {
    const answer = call()
    if (typeof answer !== 'boolean') await answer
  }
  const used = process.cpuUsage()
  call.end?.()
  return used.user + used.system - user - system
}

function tokenOf (kid, payload, key) {
  const input = [{ alg: 'RS256', typ: 'JWT', kid }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

/** A key without a private half: its modulus is a random odd number. */
function foreignJwk () {
  const modulus = randomBytes(256)
  modulus[0] |= 0x80
  modulus[255] |= 1
  return { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB', kid: randomUUID(), alg: 'RS256', use: 'sig' }
}
