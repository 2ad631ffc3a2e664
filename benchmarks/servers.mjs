// One server in a process of its own: node servers.mjs '{"module":"ours","mode":"default","build":"file:///…","realm":{…},"redis":6379}'.
// It sends its port, answers each message with its usage of processor and memory, and ends with the process that started it.
// The issuer that all contenders ask is one of them.
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const ANY_PORT = { port: 0, host: '127.0.0.1' }

/** Room for the proofs of a machine that is faster than the default expects. */
const REPLAY = { max: 1_000_000 }

/** A cache in which 100,000 tokens in turn are always new. */
const FOR_NEW_TOKENS = { max: 1000 }

const IN_POOL = { verifyInThreadPool: true, cache: FOR_NEW_TOKENS }

/** The modes of this package; `ours` has the default options but for these. */
const MODES = {
  default: {},
  'cache: false': { cache: false },
  revocation: {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    adminUrl: { path: '/keycloak' },
    // The tokens of the benchmarks live for a month.
    revocation: { maxTokenLifetime: 32 * 86_400 }
  },
  syncUser: { syncUser: async (profile) => ({ ...profile, isActive: true }) },
  introspection: { verifyTokensWithKeycloak: true },
  'three issuers': {},
  cacheTtl: { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } },
  dpop: { dpop: { replay: REPLAY } },
  'dpop, nonce': { dpop: { replay: REPLAY, nonce: { secret: 'a-secret-of-the-benchmarks, for nonces' } } },
  'dpop, Redis': async ({ redisReplayStore }) => ({ dpop: { replay: { store: redisReplayStore({ client: await redisClient() }) } } }),
  'thread pool': IN_POOL,
  'busy pool': () => occupyPool({ cache: FOR_NEW_TOKENS }),
  'thread pool, busy': () => occupyPool(IN_POOL),
  mtls: { mtls: { header: 'client-cert', proxies: ['127.0.0.1'] } }
}

/** `cache of 10,000`, or `cache of 10,000: lru-cache` by a policy of cache-policies.mjs. */
const CACHE_MODE = /^cache of ([\d,]+)(?:: (.+))?$/

const decisions = { all: 0, cached: 0 }
const TASKS = {
  collect () {
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
  },
  count () {
    subscribe('fastify-keycloak-bearer:authentication', ({ cached }) => {
      decisions.all++
      if (cached) decisions.cached++
    })
  }
}
const SERVERS = { issuer, bare, ours, capability, verify, 'verify-proof': verifyProof, 'bare-call': bareCall }

const { module, mode, build, realm, redis } = JSON.parse(process.argv[2])
process.on('disconnect', () => process.exit())
process.on('message', (task) => {
  globalThis.gc?.()
  TASKS[task]?.()
  process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage(), decisions })
})
const start = SERVERS[module] ?? (await import('./competitors.mjs')).SERVERS[module]
const server = await start(realm, mode, build)
process.send({ port: server.address().port })

/** This package as `npm run build` makes it; `build` is the address of its entry. */
async function ours ({ issuer, clientId, clientSecret }, mode, build) {
  const entry = await import(build)
  const options = CACHE_MODE.test(mode) ? await cacheOptions(mode, build) : typeof MODES[mode] === 'function' ? await MODES[mode](entry) : MODES[mode]
  const app = await newApp()
  const issuers = [issuer, ...['second', 'third'].map((name) => issuer.replace(/[^/]+$/, name))].map((each) => ({ issuer: each }))
  await app.register(entry.default, { ...(mode === 'three issuers' ? { issuers } : { issuer }), clientId, clientSecret, audience: clientId, ...options })
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
  return await listening(app)
}

/** This package with one capability of capabilities.mjs, by its name. */
async function capability ({ issuer, clientId }, name, build) {
  const { CAPABILITIES, ROUTE, setUpOf } = await import('./capabilities.mjs')
  const { default: keycloak } = await import(build)
  const { options, config } = setUpOf(name, issuer)
  for (const channel of CAPABILITIES[name].channels ?? []) subscribe(channel, () => {})
  const app = await newApp()
  await app.register(keycloak, { clientId, audience: clientId, ...options })
  app.get(ROUTE, { config }, async (request) => ({ hello: request.user.username }))
  return await listening(app)
}

async function cacheOptions (mode, build) {
  const [, digits, policy] = CACHE_MODE.exec(mode)
  const max = Number(digits.replaceAll(',', ''))
  if (policy !== undefined) await replacePolicy(policy, max, build)
  return { cache: { max, maxBytes: 1024 ** 3 } }
}

/** Gives the cache of a build another policy, which keeps each token from its second request on. */
async function replacePolicy (policy, max, build) {
  const { POLICIES, slotOf } = await import('./cache-policies.mjs')
  const [{ TokenCache }, { Doorkeeper }] = await Promise.all(['token-cache', 'doorkeeper'].map((name) => import(new URL(`../cjs/lib/token/${name}.js`, build))))
  const cache = POLICIES[policy](max)
  const doorkeeper = new Doorkeeper(max)
  Object.assign(TokenCache.prototype, {
    findBy: (header) => cache.find(header),
    find: (token) => cache.find(`Bearer ${token}`),
    keep: (entry) => cache.keep(entry),
    isWorthKeeping: (token) => doorkeeper.seenBefore(slotOf(token))
  })
}

/** Fastify without authentication. */
async function bare ({ username }) {
  const app = await newApp()
  app.get('/profile', async () => ({ hello: username }))
  return await listening(app)
}

/** Hashes passwords in all four threads of the pool, some 20 ms each. */
async function occupyPool (options) {
  const { pbkdf2 } = await import('node:crypto')
  const hash = () => pbkdf2('a password', 'a salt', 50_000, 32, 'sha256', hash)
  for (let thread = 0; thread < 4; thread++) hash()
  return options
}

async function redisClient () {
  const { Redis } = await import('ioredis')
  return new Redis(redis, '127.0.0.1')
}

/** `crypto.verify` for each request and no other check: no verification can cost less. */
async function verify (realm) {
  return await verifying(realm, ({ headers }) => headers.authorization.slice('Bearer '.length))
}

/** The same for the DPoP proof of each request, by a key that is known. */
async function verifyProof (realm) {
  return await verifying(realm, ({ headers }) => headers.dpop)
}

async function verifying ({ publicJwk, username }, textOf) {
  const { createPublicKey, verify } = await import('node:crypto')
  const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' })
  // Node 24 up to 24.21 makes two errors for a key that stands in an object, and drops them.
  const key = publicJwk.kty === 'EC' ? { key: publicKey, dsaEncoding: 'ieee-p1363' } : publicKey
  const app = await newApp()
  app.get('/profile', {
    onRequest (request, reply, done) {
      const text = textOf(request)
      const end = text.lastIndexOf('.')
      const good = verify('sha256', Buffer.from(text.slice(0, end), 'latin1'), key, Buffer.from(text.slice(end + 1), 'base64url'))
      if (good) done()
      else reply.code(401).send()
    }
  }, async () => ({ hello: username }))
  return await listening(app)
}

/** No authentication, but the call of introspection for each request, with its answer read as text. */
async function bareCall ({ issuer, clientId, clientSecret, username }) {
  const { Pool } = await import('undici')
  const { origin, pathname } = new URL(issuer)
  const pool = new Pool(origin, { connections: 32 })
  const path = `${pathname}/protocol/openid-connect/token/introspect`
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  const app = await newApp()
  app.get('/profile', async (request) => {
    const token = request.headers.authorization.slice('Bearer '.length)
    const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token, token_type_hint: 'access_token' })
    const { body } = await pool.request({ method: 'POST', path, headers, body: form.toString() })
    await body.text()
    return { hello: username }
  })
  return await listening(app)
}

async function newApp () {
  const { default: Fastify } = await import('fastify')
  return Fastify()
}

async function listening (app) {
  await app.listen(ANY_PORT)
  return app.server
}

/** Discovery, key set and introspection. It makes the answer about a token once, so that no contender waits for the issuer. */
async function issuer ({ port, path, jwks, clientId, clientSecret }) {
  const url = `http://127.0.0.1:${port}${path}`
  const introspectionPath = `${path}/protocol/openid-connect/token/introspect`
  const documents = {
    [`${path}/.well-known/openid-configuration`]: JSON.stringify({
      issuer: url,
      jwks_uri: `${url}/protocol/openid-connect/certs`,
      introspection_endpoint: `http://127.0.0.1:${port}${introspectionPath}`,
      id_token_signing_alg_values_supported: ['RS256']
    }),
    [`${path}/protocol/openid-connect/certs`]: JSON.stringify(jwks)
  }
  const answers = new Map()
  const server = createServer((request, response) => {
    const document = documents[request.url]
    if (document !== undefined) return send(response, 200, document)
    if (request.method !== 'POST' || request.url !== introspectionPath) return send(response, 404, '{}')
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (chunk) => { body += chunk })
    request.on('end', () => {
      if (!answers.has(body)) answers.set(body, introspect(new URLSearchParams(body), { clientId, clientSecret }))
      send(response, 200, answers.get(body))
    })
  })
  server.keepAliveTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function introspect (form, { clientId, clientSecret }) {
  if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) return '{"active":false}'
  const [, payload] = form.get('token').split('.')
  // The check at start asks about a text that is no token.
  if (payload === undefined) return '{"active":false}'
  const claims = JSON.parse(Buffer.from(payload, 'base64url'))
  return JSON.stringify({ ...claims, client_id: claims.azp, username: claims.preferred_username, token_type: claims.typ, active: true })
}

function send (response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}
