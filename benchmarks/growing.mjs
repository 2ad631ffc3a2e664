// How the cost of a token grows with its size: node growing.mjs, CPU microseconds as JSON. growth.ts makes tables of them.
import { copies, smallRealm } from './small-realm.mjs'

const ROLES = [10, 100, 1000]
const LENGTHS = [1400, 3000, 6000, 12_000, 24_000]
const KEYS = [2, 10, 40, 100]

const realm = await smallRealm()
const { app: cached } = await realm.api()
const { app: uncached } = await realm.api({ cache: false })
const roles = []
for (const count of ROLES) roles.push(await withRoles(count))
const lengths = []
for (const length of LENGTHS) lengths.push(await tokenCosts(ofLength(length), length))
const keys = []
for (const count of KEYS) keys.push(await withKeys(count))
console.log(`RESULT ${JSON.stringify({ roles, lengths, keys })}`)
process.exit()

async function withRoles (count) {
  const names = Array.from({ length: count }, (_, at) => `r-${String(at).padStart(4, '0')}`)
  const token = realm.token({ resource_access: { api: { roles: names } } })
  const { app } = await realm.api()
  let check = NaN
  app.get('/profile', { config: { authenticated: true } }, async (request) => {
    // The last role of them, and one that is not there.
    check = await cost(() => request.hasPermission(names.at(-1)) && !request.hasPermission('none'))
    return 'checked'
  })
  const { statusCode } = await app.inject({ url: '/profile', headers: { authorization: `Bearer ${token}` } })
  if (statusCode !== 200) throw new Error(`a good token was answered ${statusCode}`)
  return { ...await tokenCosts(token, count), check: check / 2 }
}

async function tokenCosts (token, size) {
  return { size, bytes: token.length, hit: await costOf(cached, token), miss: await costOf(uncached, token) }
}

function ofLength (length) {
  const plain = realm.token({ padding: '' }).length
  return realm.token({ padding: 'x'.repeat(Math.max(0, Math.round((length - plain) * 3 / 4))) })
}

async function withKeys (count) {
  const many = await smallRealm(count)
  const token = many.token()
  const colds = []
  for (let times = 0; times < 7; times++) {
    const { app } = await many.api()
    const begun = cpu()
    await app.keycloak.verify(token)
    colds.push(cpu() - begun)
    await app.close()
  }
  const { app: hits } = await many.api()
  const { app: misses } = await many.api({ cache: false })
  const hit = await costOf(hits, token)
  const miss = await costOf(misses, token)
  await Promise.all([hits.close(), misses.close()])
  return { size: count, bytes: many.bytes, cold: median(colds), hit, miss }
}

async function costOf (app, token) {
  const tokens = copies(token, 64)
  let at = 0
  await app.keycloak.verify(token)
  return await cost(() => app.keycloak.verify(tokens[at++ & 63]))
}

/** CPU microseconds of one call: the median of several runs of at least 20 ms. */
async function cost (call) {
  let times = 50
  for (;;) {
    if (await run(call, times) > 20_000) break
    times *= 2
  }
  const runs = []
  for (let at = 0; at < 7; at++) runs.push(await run(call, times) / times)
  return median(runs)
}

async function run (call, times) {
  const begun = cpu()
  for (let at = 0; at < times; at++) {
    const answer = call()
    if (typeof answer !== 'boolean') await answer
  }
  return cpu() - begun
}

function cpu () {
  const { user, system } = process.cpuUsage()
  return user + system
}

function median (values) {
  return values.sort((one, other) => one - other)[values.length >> 1]
}
