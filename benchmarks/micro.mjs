// The steps of a request one by one, with mitata: node micro.mjs, or with --json for docs/performance.md.
import { generateKeyPairSync, verify } from 'node:crypto'
import { bench, do_not_optimize as used, run } from 'mitata'
import { copies, publicKey, smallRealm } from './small-realm.mjs'

const json = process.argv.includes('--json')
const realm = await smallRealm()
const good = realm.token()
const forged = realm.token({}, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const garbage = 'x.y.z'
const goods = copies(good)
let at = 0
const { app: cached } = await realm.api()
const { app: uncached } = await realm.api({ cache: false })

// Kept from the second time on.
for (let times = 0; times < 2; times++) await cached.keycloak.verify(good)
const input = Buffer.from(good.slice(0, good.lastIndexOf('.')))
const signature = Buffer.from(good.slice(good.lastIndexOf('.') + 1), 'base64url')

bench('crypto.verify alone', () => used(verify('sha256', input, publicKey, signature)))
bench('keycloak.verify: hit', () => cached.keycloak.verify(goods[at++ & 1023]))
bench('keycloak.verify: miss', () => uncached.keycloak.verify(goods[at++ & 1023]))
bench('keycloak.verify: forged', () => refused(uncached.keycloak.verify(forged)))
bench('keycloak.verify: garbage', () => refused(uncached.keycloak.verify(garbage)))

const permission = await held({ permission: 'read-profile' }, good)
const authenticated = await held({ authenticated: true }, good)
const open = await held({})
bench('the whole hook, hit, a route with a permission', permission.hook)
bench('the whole hook, hit, any valid token', authenticated.hook)
bench('the whole hook, no token, an open route', open.hook)
bench('the whole hook, garbage', (await held({}, undefined, garbage)).hook)
bench('hasPermission(role)', () => used(permission.request.hasPermission('read-profile')))
bench('hasPermission({ any: [...] })', () => used(permission.request.hasPermission({ any: ['none', 'read-profile'] })))

// By files of lib/: what of the hook is the user.
const { createToUser } = await import('../dist/esm/lib/user.js')
const { identityOf } = await import('../dist/esm/lib/identity.js')
const toUser = createToUser({
  userIdField: 'username',
  userIdClaim: 'preferred_username',
  claimMapping: { firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username' }
})
const claims = permission.request.auth
bench('claims to user', () => used(toUser(identityOf(claims), permission.request)))

const { benchmarks } = await run(json ? { format: 'quiet' } : {})
if (json) {
  const rows = benchmarks.map(({ alias, runs: [{ stats, error }] }) => {
    if (error !== undefined) throw new Error(`${alias}: ${error}`)
    return { name: alias, average: stats.avg, median: stats.p50, p99: stats.p99 }
  })
  console.log(`RESULT ${JSON.stringify(rows)}`)
}
process.exit()

/**
 * A request in flight on a route, and the hook to run on it with one header after the other.
 * @param token what it is let on with
 * @param later what the hook then sees
 */
async function held (config, token, later = token) {
  const { app, hooks } = await realm.api()
  const there = withResolvers()
  app.get('/', { config }, (request, reply) => there.resolve({ request, reply }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  fetch(`http://127.0.0.1:${app.server.address().port}/`, { headers }).catch(() => {})
  const { request, reply } = await there.promise
  if (hooks.length !== 1) throw new Error(`the plugin has ${hooks.length} hooks for a request, not one`)
  const [run] = hooks
  const done = (error) => { used(error) }
  if (later === undefined) return { request, hook: () => run(request, reply, done) }
  const authorizations = copies(`Bearer ${later}`)
  const hook = () => {
    request.headers.authorization = authorizations[at++ & 1023]
    run(request, reply, done)
  }
  return { request, hook }
}

function withResolvers () {
  const made = {}
  made.promise = new Promise((resolve) => { made.resolve = resolve })
  return made
}

async function refused (promise) {
  try {
    await promise
  } catch {
    return
  }
  throw new Error('a bad token was not refused')
}
