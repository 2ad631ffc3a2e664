// The cost of single steps, without sockets: node steps.mjs '{"kind":"micro"|"growth"|"proofs"|"newToken"|"oneCapability","builds":[…],"claims":{…}}'. Several builds take
// turns block by block. Everything goes by the public entry, so that the same code measures builds of any time.
import { generateKeyPairSync, verify } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { capabilitySteps } from './capability-steps.mjs'
import { proofSteps } from './proof-steps.mjs'
import { copies, costsInTurn, heldRequest, publicKey, stepApi, stepRealm } from './step-realm.mjs'

const ROLES = [10, 100, 1000]
const LENGTHS = [1400, 3000, 6000, 12_000, 24_000]
const KEYS = [2, 10, 40, 100]
const GARBAGE = 'x.y.z'
const RULES = {
  role: 'read-profile',
  '{ any: [...] }': { any: ['none', 'read-profile'] },
  '{ realmRole }': { realmRole: 'offline_access' },
  '{ clientRole, client }': { clientRole: 'view-profile', client: 'account' },
  '{ group }': { group: '/staff/it' },
  '{ group: …/** }': { group: '/staff/**' },
  '{ organization }': { organization: 'acme' },
  '{ organization, role }': { organization: 'acme', role: 'admin' },
  '{ organization: true }': { organization: true },
  '{ authorizedParty }': { authorizedParty: 'web' },
  '{ scope }': { scope: 'email' },
  '{ all: [...] }': { all: [{ realmRole: 'offline_access' }, { authorizedParty: 'web' }, { scope: 'email' }] }
}
const MEMBERSHIPS = { groups: ['/staff', '/staff/it'], organization: { globex: {}, acme: { id: '42', roles: ['admin'] } } }

const { kind, builds, claims, capability } = JSON.parse(process.argv[2])
const plugins = []
for (const build of builds) plugins.push((await import(build)).default)
const [plugin] = plugins
const realm = await stepRealm(claims)
const result = await { micro, growth, proofs, newToken, oneCapability }[kind]()
console.log(`RESULT ${JSON.stringify(result)}`)
process.exit()

/** The same as `micro` for the steps of proof-steps.mjs, of one build. */
async function proofs () {
  return await proofSteps(plugin, await dpopClient(), claims)
}

/** The same for a capability of capabilities.mjs beside a plain Bearer token. */
async function oneCapability () {
  return await capabilitySteps(plugins, await dpopClient(), capability, claims)
}

async function dpopClient () {
  const { DpopClient } = await import(new URL('../cjs/lib/testing/dpop-client.js', builds[0]))
  return new DpopClient()
}

/** A token that is not in the cache: its signature alone, fast-jwt with the options that the plugin gives it, and the plugin. */
async function newToken () {
  const token = realm.token()
  const { app } = await stepApi(plugin, realm, { cache: false })
  const key = publicKey.export({ type: 'spki', format: 'pem' })
  const verifyByFastJwt = createVerifier({ key, algorithms: ['RS256'], cache: false, ignoreExpiration: true, ignoreNotBefore: true })
  const tokens = copies(token)
  let calls = 0
  const steps = {
    'crypto.verify': verification(token),
    'fast-jwt': () => verifyByFastJwt(tokens[calls++ & 1023]) !== undefined,
    'keycloak.verify()': () => app.keycloak.verify(tokens[calls++ & 1023])
  }
  const costs = await costsInTurn(Object.values(steps))
  return Object.keys(steps).map((name, at) => ({ name, costs: [costs[at]] }))
}

/** For each step the costs of each build in nanoseconds, block by block. */
async function micro () {
  const good = realm.token(MEMBERSHIPS)
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const tokens = { good, forged: realm.token(MEMBERSHIPS, stranger), expired: realm.token({ exp: Math.floor(Date.now() / 1000) - 3600 }) }
  const steps = []
  for (const each of plugins) steps.push({ ...await verifications(each, tokens), ...await hooks(each, tokens), ...await rules(each, tokens), ...await permissions(each, tokens) })
  const costs = [{ name: 'crypto.verify alone', costs: await costsInTurn([verification(good)]) }]
  // A rule that a build does not know is left out.
  const names = Object.keys(steps[0]).filter((name) => steps.every((each) => each[name] !== undefined))
  for (const name of names) costs.push({ name, costs: await costsInTurn(steps.map((each) => each[name])) })
  return costs
}

function verification (token) {
  const end = token.lastIndexOf('.')
  const input = Buffer.from(token.slice(0, end))
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  return () => verify('sha256', input, publicKey, signature)
}

async function verifications (plugin, { good, forged }) {
  const { app: cached } = await stepApi(plugin, realm)
  const { app: uncached } = await stepApi(plugin, realm, { cache: false })
  for (let times = 0; times < 2; times++) await cached.keycloak.verify(good)
  const goods = copies(good)
  let calls = 0
  return {
    'keycloak.verify: hit': () => cached.keycloak.verify(goods[calls++ & 1023]),
    'keycloak.verify: miss': () => uncached.keycloak.verify(goods[calls++ & 1023]),
    'keycloak.verify: forged': () => refused(uncached.keycloak.verify(forged)),
    'keycloak.verify: garbage': () => refused(uncached.keycloak.verify(GARBAGE))
  }
}

/** The whole hook: all that the plugin does for a request. */
async function hooks (plugin, { good, forged, expired }) {
  const introspecting = { clientSecret: 'a-secret', verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } }
  const guarded = { permission: 'read-profile' }
  return {
    'hook: hit, a route with a permission': await hook(plugin, true, guarded, good),
    'hook: hit, any valid token': await hook(plugin, true, { authenticated: true }, good),
    'hook: hit, one of three issuers': await ofThree(plugin, guarded, good),
    'hook: hit, introspected, with cacheTtl': await hook(plugin, true, { authenticated: true }, good, good, introspecting),
    'hook: no token, an open route': await hook(plugin, true, {}),
    'hook: miss': await hook(plugin, true, guarded, good, good, { cache: false }),
    'hook: expired': await hook(plugin, false, guarded, good, expired),
    'hook: forged': await hook(plugin, false, guarded, good, forged),
    'hook: garbage': await hook(plugin, false, guarded, good, GARBAGE)
  }
}

/** A build without several issuers takes part with the one that it can have. */
async function ofThree (plugin, config, token) {
  const issuers = ['acme', 'second', 'third'].map((name) => ({ issuer: realm.issuer.replace(/[^/]+$/, name) }))
  return await hook(plugin, true, config, token, token, { issuer: undefined, issuers }).catch(() => hook(plugin, true, config, token))
}

/** @throws {Error} if the hook decides otherwise than `allowed` */
async function hook (plugin, allowed, config, token, later = token, options = {}) {
  const { run } = await heldRequest(await stepApi(plugin, realm, options), config, token, later)
  for (let times = 0; times < 3; times++) run()
  if (run() !== allowed) throw new Error(`a hook decided ${run()}, not ${allowed}: ${JSON.stringify({ config, later, options })}`)
  return run
}

/** The hook with rules that the caller fulfils. No verdict is remembered, because a function decides as well. */
async function rules (plugin, { good }) {
  const steps = {}
  for (const [name, rule] of Object.entries({ 'nothing else': () => true, ...RULES })) {
    steps[`hook: hit, a function and ${name}`] = await hook(plugin, true, { permission: { all: [() => true, rule] } }, good).catch(() => undefined)
  }
  return steps
}

/** Rules that the caller fulfils; they are read anew for each call. */
async function permissions (plugin, { good }) {
  const { request } = await heldRequest(await stepApi(plugin, realm), { permission: 'read-profile' }, good)
  return Object.fromEntries(Object.entries(RULES).flatMap(([name, rule]) => {
    const ask = () => request.hasPermission(rule)
    return isTrue(ask) ? [[`hasPermission(${name})`, ask]] : []
  }))
}

/** Processor microseconds of a hit and a miss by roles of the client, characters of the token and keys of the realm. */
async function growth () {
  const { app: cached } = await stepApi(plugin, realm)
  const { app: uncached } = await stepApi(plugin, realm, { cache: false })
  const costs = { roles: [], lengths: [], keys: [] }
  for (const count of ROLES) costs.roles.push(await withRoles(count, cached, uncached))
  for (const length of LENGTHS) costs.lengths.push(await tokenCosts(ofLength(length), length, cached, uncached))
  for (const count of KEYS) costs.keys.push(await withKeys(count))
  return costs
}

async function withRoles (count, cached, uncached) {
  const names = Array.from({ length: count }, (_, at) => `r-${String(at).padStart(4, '0')}`)
  const token = realm.token({ resource_access: { api: { roles: names } } })
  const { request } = await heldRequest(await stepApi(plugin, realm), { authenticated: true }, token)
  // The last role, and one that is not there.
  const check = await cost(() => request.hasPermission(names.at(-1)) && !request.hasPermission('none'))
  return { ...await tokenCosts(token, count, cached, uncached), check: check / 2 }
}

async function withKeys (count) {
  const many = await stepRealm(claims, count)
  const token = many.token()
  const colds = []
  for (let times = 0; times < 7; times++) {
    const { app } = await stepApi(plugin, many)
    const begun = process.cpuUsage()
    await app.keycloak.verify(token)
    const { user, system } = process.cpuUsage(begun)
    colds.push(user + system)
    await app.close()
  }
  const { app: cached } = await stepApi(plugin, many)
  const { app: uncached } = await stepApi(plugin, many, { cache: false })
  return { ...await tokenCosts(token, count, cached, uncached), bytes: many.bytes, cold: median(colds) }
}

async function tokenCosts (token, size, cached, uncached) {
  return { size, bytes: token.length, hit: await costOf(cached, token), miss: await costOf(uncached, token) }
}

async function costOf (app, token) {
  const tokens = copies(token, 64)
  let calls = 0
  for (let times = 0; times < 2; times++) await app.keycloak.verify(token)
  return await cost(() => app.keycloak.verify(tokens[calls++ & 63]))
}

/** Processor microseconds of one call. */
async function cost (call) {
  const [costs] = await costsInTurn([call], 7)
  return median(costs) / 1000
}

function ofLength (length) {
  const plain = realm.token({ padding: '' }).length
  return realm.token({ padding: 'x'.repeat(Math.max(0, Math.round((length - plain) * 3 / 4))) })
}

async function refused (promise) {
  const wasRefused = await promise.then(() => false, () => true)
  if (!wasRefused) throw new Error('a bad token was not refused')
}

function isTrue (ask) {
  try {
    return ask()
  } catch {
    return false
  }
}

function median (values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1]
}
