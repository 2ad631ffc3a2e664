import { mock } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import { TokenCache } from '../../lib/token/token-cache.js'
import { apiFor, ask, realmFor, wait } from '../support/app.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The character that is farthest from this one. */
function other (character: string): string {
  return ALPHABET[(ALPHABET.indexOf(character) + 32) % 64]!
}

t.test('a token that differs from a kept one in one character, wherever, is none that was verified', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  for (let times = 0; times < 2; times++) await app.keycloak.verify(token)
  t.match(app.keycloak.health().cache, { tokens: 1 })
  const passed: number[] = []
  for (let at = 0; at < token.length; at++) {
    const changed = token.slice(0, at) + other(token[at]!) + token.slice(at + 1)
    await app.keycloak.verify(changed).then(() => passed.push(at), () => {})
  }
  for (const changed of [token.slice(1), token.slice(0, -1), `${token} `, `x${token}`, `${token}A`]) {
    await t.rejects(app.keycloak.verify(changed), { code: 'token_not_valid' })
  }
  t.same(passed, [])
  t.match(app.keycloak.health().cache, { tokens: 1 })
})

t.test('a header that differs from that of a kept token in one character, wherever, lets nobody in', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const get = async (authorization: string) => (await app.inject({ url: '/me', headers: { authorization } })).statusCode
  const header = `Bearer ${realm.token()}`
  for (let times = 0; times < 3; times++) t.equal(await get(header), 200)
  const passed: number[] = []
  for (let at = 0; at < header.length; at++) {
    const changed = header.slice(0, at) + (ALPHABET.includes(header[at]!) ? other(header[at]!) : '_') + header.slice(at + 1)
    if (await get(changed) !== 401) passed.push(at)
  }
  t.same(passed, [])
  for (const changed of [header.slice(1), header.slice(7), `x${header}`, `${header}A`, `${header} x`, `${header},${header}`, `Basic ${header}`]) {
    t.equal(await get(changed), 401)
  }
  for (const spelled of [header.replace('Bearer', 'bearer'), header.replace(' ', '   '), `${header}  `]) t.equal(await get(spelled), 200, 'the same in other words')
  t.match(app.keycloak.health().cache, { tokens: 1 })
})

t.test('the claims of a kept token are the same, frozen ones for all requests, and so is the user', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const seen: unknown[] = []
  app.get('/seen', async ({ user, auth }) => { seen.push([user, auth]) })
  const token = realm.token({ claims: { deep: { list: [{}] } } })
  for (let times = 0; times < 3; times++) await ask(app, '/seen', token)
  const [, first, second] = seen as Array<[object, Record<string, any>]>
  t.ok(first![0] === second![0] && first![1] === second![1])
  t.ok([first![0], first![1], first![1].deep, first![1].deep.list, first![1].deep.list[0]].every(Object.isFrozen))
})

t.test('a token is kept at once until the cache is half full', async (t) => {
  const realm = await realmFor(t)
  const bytes = await (async () => {
    const app = await apiFor(t, realm)
    t.equal(await ask(app, '/me', realm.token()), '200')
    t.match(app.keycloak.health().cache, { tokens: 1 })
    return app.keycloak.health().cache!.bytes
  })()
  for (const cache of [{ max: 6 }, { maxBytes: 5 * bytes }]) {
    const app = await apiFor(t, realm, { cache })
    const tokens = Array.from({ length: 10 }, (_, at) => realm.token({ claims: { at } }))
    for (const token of tokens) await app.keycloak.verify(token)
    const kept = app.keycloak.health().cache!.tokens
    t.ok(kept >= 3 && kept <= 5, `${kept} are kept`)
    await app.keycloak.verify(tokens[9]!)
    t.match(app.keycloak.health().cache, { tokens: kept + 1 }, 'and then if it comes again')
  }
})

t.test('a half-full cache keeps no token that comes once', async (t) => {
  const realm = await realmFor(t)
  const small = await apiFor(t, realm, { cache: { max: 10 } })
  for (let at = 0; at < 5; at++) await small.keycloak.verify(realm.token({ claims: { at } }))
  const among = async (others: number) => {
    const token = realm.token({ claims: { others } })
    await small.keycloak.verify(token)
    for (let at = 0; at < others; at++) await small.keycloak.verify(realm.token({ claims: { others, at } }))
    await small.keycloak.verify(token)
    return small.keycloak.health().cache!.tokens
  }
  t.equal(await among(30), 5, 'not when thrice as many as can be kept came in between')
  t.equal(await among(5), 6)
})

t.test('all that is kept has one shape, so that V8 finds its members at once', async (t) => {
  const kept = t.capture(TokenCache.prototype, 'keep', TokenCache.prototype.keep)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const tokens = Array.from({ length: 20 }, (_, at) => realm.token({ claims: { at } }))
  for (const token of [...tokens, ...tokens]) await app.keycloak.verify(token)
  const entries = kept().map(({ args: [entry] }) => entry)
  t.equal(entries.length, 20)
  setFlagsFromString('--allow-natives-syntax')
  const alike: (one: unknown, other: unknown) => boolean = runInThisContext('(one, other) => %HaveSameMap(one, other)')
  // The first ones may be older than what V8 has learned of their members.
  t.ok(entries.slice(10).every((entry) => alike(entry, entries[19])))
})

t.test('an answer of introspection is forgotten when it serves no more, long before its token has expired', async (t) => {
  const kept = t.capture(TokenCache.prototype, 'keep', TokenCache.prototype.keep)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 5000 } })
  const before = Date.now() / 1000
  await app.keycloak.verify(realm.token())
  const [answer, ...others] = kept().map(({ args: [entry] }) => entry).filter((entry) => 'ends' in entry)
  t.same(others, [], 'once')
  t.ok(answer!.until >= before + 5 && answer!.until <= Date.now() / 1000 + 5)
})

t.test('a kept token expires like any other, and is forgotten then', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token({ expiresIn: 2 })
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', token), '200')
  t.match(app.keycloak.health().cache, { tokens: 1 })
  while (await ask(app, '/me', token) === '200') await wait(50)
  t.equal(await ask(app, '/me', token), '401 token_expired')
  t.same(app.keycloak.health().cache, { tokens: 0, bytes: 0 })
})

t.test('a clock that is set back does not let a kept token in before its time', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', token), '200')
  mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 })
  t.teardown(() => mock.timers.reset())
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
})

t.test('what has ended is forgotten though nobody asks for it', async (t) => {
  mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const [short, long] = [realm.token({ expiresIn: 20 }), realm.token({ expiresIn: 50 })]
  for (const token of [short, long, short, long]) t.equal(await ask(app, '/me', token), '200')
  t.match(app.keycloak.health().cache, { tokens: 2 })
  mock.timers.tick(30_000)
  t.match(app.keycloak.health().cache, { tokens: 1 })
  mock.timers.tick(30_000)
  t.same(app.keycloak.health().cache, { tokens: 0, bytes: 0 })
  const later = realm.token({ expiresIn: 20 })
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', later), '200')
  t.match(app.keycloak.health().cache, { tokens: 1 })
  mock.timers.tick(30_000)
  t.same(app.keycloak.health().cache, { tokens: 0, bytes: 0 }, 'and so on')
})

t.test('without a cache nothing is kept', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { cache: false, verifyTokensWithKeycloak: true, introspection: { cacheTtl: 10_000 } })
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', token), '200')
  t.equal(app.keycloak.health().cache, null)
  t.equal(realm.requests.introspect, 1, 'but the answers of introspection, which cacheTtl asks for')
})

t.test('the bounds of the cache are those of the kept answers of introspection too', async (t) => {
  const realm = await realmFor(t)
  const on = { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 10_000 } }
  const tokens = [realm.token(), realm.token({ claims: { long: 'x'.repeat(1000) } })]
  for (const [cache, calls] of [[{ max: 2 }, 2], [{ max: 1 }, 4], [{ maxBytes: 20_000 }, 4]] as const) {
    const app = await apiFor(t, realm, { ...on, cache })
    const before = realm.requests.introspect
    for (const token of [...tokens, ...tokens]) t.equal(await ask(app, '/me', token), '200')
    t.equal(realm.requests.introspect - before, calls)
  }
})

t.test('a hot token stays in a full cache while others come and go', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 }, cache: { max: 2 } })
  const hot = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', hot), '200')
  for (let others = 1; others <= 6; others++) {
    t.equal(await ask(app, '/me', realm.token({ claims: { others } })), '200')
    t.equal(await ask(app, '/me', hot), '200')
    t.equal(realm.requests.introspect, 1 + others, 'Keycloak is asked about the other token alone')
  }
})

t.test('a token that was hot once makes room for those that are hot now', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 }, cache: { max: 2 } })
  const [former, ...later] = ['former', 'first', 'second'].map((name) => realm.token({ username: name }))
  for (const token of [former!, former!, ...later, ...later, ...later]) t.equal(await ask(app, '/me', token), '200')
  const before = realm.requests.introspect
  for (const token of later) t.equal(await ask(app, '/me', token), '200')
  t.equal(realm.requests.introspect, before)
  t.equal(await ask(app, '/me', former!), '200')
  t.equal(realm.requests.introspect, before + 1)
})

t.test('a full cache forgets in any order and never holds more than its bounds', async (t) => {
  const cache = new TokenCache({ max: 3, maxBytes: 100 })
  t.teardown(() => cache.close())
  const entryOf = (name: string, bytes: number) => ({ credentials: `Bearer x.y.${name.padStart(12, '-')}0`, until: Infinity, bytes, isUsed: false })
  const [one, two, three] = ['one', 'two', 'three'].map((name) => entryOf(name, 30))
  for (const entry of [one!, two!, three!]) cache.keep(entry)
  t.ok(cache.findBy(one!.credentials))
  cache.forget(three!)
  cache.keep(entryOf('huge', 101))
  t.match(cache, { size: 0, bytes: 0 }, 'an entry beyond the bounds is not kept, and what made room for it is gone')
  for (let at = 0; at < 50; at++) {
    const entry = entryOf(String(at), 20 + at % 3 * 20)
    cache.keep(entry)
    t.ok(cache.size <= 3 && cache.bytes <= 100)
    t.equal(at % 2 === 0 ? cache.findBy(entry.credentials) : entry, entry, 'the newest is there')
  }
})

t.test('an answer that is kept ends with the dates it names, though the token lives longer', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } })
  const token = realm.token()
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  const exp = Math.floor(Date.now() / 1000) + 2
  realm.respond('introspect', (_request, response) => { response.end(JSON.stringify({ ...claims, active: true, exp })) })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', token), '200')
  while (Date.now() / 1000 < exp) await wait(50)
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/me', token), '401 token_expired')
  t.equal(realm.requests.introspect, 1)
})

t.test('an answer that is kept refuses as it did, for as long', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 300 } })
  const token = realm.token()
  realm.revoke(token)
  const refusals = await Promise.all([0, 1].map(() => app.keycloak.verify(token).catch((error) => error)))
  refusals.push(await app.keycloak.verify(token).catch((error) => error))
  t.same(refusals.map(({ code }) => code), Array(3).fill('token_not_valid'))
  t.not(refusals[0], refusals[2], 'an error of its own, since an error handler may write into it')
  t.equal(realm.requests.introspect, 1)
  await wait(350)
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
  t.equal(realm.requests.introspect, 2)
})

t.test('a thousand roles are looked through as well', async (t) => {
  const realm = await realmFor(t)
  const roles = Array.from({ length: 1000 }, (_, at) => `role-${at}`)
  for (const cache of [{}, false] as const) {
    const app = await apiFor(t, realm, { cache })
    t.equal(await ask(app, '/profile', realm.token({ roles })), '403 permission_denied')
    t.equal(await ask(app, '/profile', realm.token({ roles: [...roles, 'view-profile'] })), '200')
  }
})

t.test('a header that was read before is no less checked, and there may be many', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const tokens = Array.from({ length: 100 }, (_, at) => realm.token({ header: { x5t: `thumbprint ${at}` } }))
  for (const token of [...tokens, ...tokens]) t.equal(await ask(app, '/me', token), '200')
  const [header] = tokens.at(-1)!.split('.')
  const [, payload, signature] = realm.token({ forged: true }).split('.')
  t.equal(await ask(app, '/me', `${header}.${payload}.${signature}`), '401 token_not_valid')
})
