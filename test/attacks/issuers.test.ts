// Tokens whose iss a stranger has made up, and answers of the function `issuers` that a stranger would like to have.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, bearer, logging, realmFor, until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { entryFor, finderOf, realmsFor, tenantApiFor } from '../support/tenant-api.js'

const STRANGER = 'https://evil.example/realms/'

/** A token that nobody signed. */
function forged (iss: unknown): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'RS256', typ: 'JWT', kid: 'x' })}.${encode({ iss })}.${'A'.repeat(342)}`
}

t.test('ten thousand issuers that strangers make up cost a hundred calls, and no tenant waits for them', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const log = logging()
  const asked: string[] = []
  const app = await tenantApiFor(t, async (iss) => {
    asked.push(iss)
    return finderOf(realms)(iss)
  }, {}, log)
  t.equal(await ask(app, '/me', realms.acme.token()), '200')
  const began = performance.now()
  const counts: Record<string, number> = {}
  const attack = Promise.all(Array.from({ length: 10_000 }, async (_, at) => {
    const answer = await ask(app, '/me', forged(STRANGER + at))
    counts[answer] = (counts[answer] ?? 0) + 1
  }))
  for (let times = 0; times < 20; times++) t.equal(await ask(app, '/me', realms.acme.token()), '200')
  await until(() => asked.length > 100)
  await app.close()
  await attack
  t.equal(counts['503 keycloak_unavailable']! + counts['401 token_not_valid']!, 10_000)
  t.ok(counts['401 token_not_valid']! <= 101 + (performance.now() - began) / 100, `${counts['401 token_not_valid']} calls`)
  t.equal(asked.length, 1 + counts['401 token_not_valid']!)
  t.notMatch(log.text, 'evil.example')
})

t.test('issuers in any other form than that of a realm are unknown, without a call', async (t) => {
  const realm = await realmFor(t, { name: 'acme' })
  const { host, port } = new URL(realm.issuer)
  const asked: string[] = []
  const app = await tenantApiFor(t, (iss) => {
    asked.push(iss)
    return { ...entryFor(realm), issuer: iss, name: `tenant ${asked.length}` }
  })
  t.equal(await ask(app, '/me', realm.token()), '200')
  const variants: unknown[] = [
    `${realm.issuer}/`, `${realm.issuer}?x`, `${realm.issuer}#x`, `${realm.issuer} `, `HTTP://${host}/realms/acme`,
    `http://user@${host}/realms/acme`, `http://${host}/realms/%61cme`, `http://${host}//realms/acme`, `http://${host}/x/../realms/acme`,
    `http://127.1:${port}/realms/acme`, `http://${host}/realms/acmé`, 'http://exämple.org/realms/acme', 'https://sso.example.com:443/realms/acme',
    'https://SSO.example.com/realms/acme', `${STRANGER}${'a'.repeat(20_000)}`, '__proto__', 'constructor', '', null, 5, [realm.issuer], { href: realm.issuer }
  ]
  for (const iss of variants) t.equal(await ask(app, '/me', realm.token({ claims: { iss } })), '401 token_not_valid', String(iss).slice(0, 60))
  t.equal(await ask(app, '/me', forged(STRANGER + 'a'.repeat(100_000))), '401 token_not_valid')
  t.same(asked, [realm.issuer])
})

t.test('a tenant signs for itself alone', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  realms.globex.rotateKeys({ removeOld: true })
  const app = await tenantApiFor(t, finderOf(realms))
  const crossed = realms.globex.token({ claims: { iss: realms.acme.issuer } })
  for (let times = 0; times < 2; times++) {
    t.equal(await ask(app, '/me', crossed), '401 token_not_valid')
    for (const realm of Object.values(realms)) t.equal(await ask(app, '/me', realm.token()), '200')
  }
})

/** Answers of a function to an issuer that is no tenant. */
const ENTRIES: Record<string, (good: TestRealm, iss: string) => unknown> = {
  'the entry of another issuer': (good) => entryFor(good),
  'an entry without issuer': (good) => ({ ...entryFor(good), issuer: undefined }),
  'an empty entry': () => ({}),
  'an entry whose issuer changes when it is read again': (good, iss) => {
    let reads = 0
    return { ...entryFor(good), get issuer () { return reads++ === 0 ? iss : good.issuer } }
  },
  'an entry whose issuer is an object': (good, iss) => ({ ...entryFor(good), issuer: { toString: () => iss } }),
  'an entry whose issuer is of its prototype alone, which is that of all objects': () => ({ clientId: 'api' })
}

for (const [name, answer] of Object.entries(ENTRIES)) {
  t.test(`${name} opens nothing`, async (t) => {
    const realms = await realmsFor(t, 'acme', 'stranger')
    const app = await tenantApiFor(t, async (iss) => answer(realms.acme, iss) as never)
    const prototype = Object.prototype as { issuer?: string }
    const token = realms.stranger.token()
    try {
      if (name.includes('prototype')) prototype.issuer = realms.stranger.issuer
      t.match(await ask(app, '/me', token), /^(503 keycloak_unavailable|401 token_not_valid)$/)
    } finally {
      delete prototype.issuer
    }
  })
}

t.test('a polluted prototype is neither a promise nor an entry nor null', async (t) => {
  const realms = await realmsFor(t, 'acme', 'stranger')
  const app = await tenantApiFor(t, finderOf(realms))
  const prototype = Object.prototype as Record<string, unknown>
  const polluted = { hasThrown: true, serverUrl: realms.stranger.issuer, audience: null, verifySignature: false, algorithms: ['ES256'], maxIssuers: 0, name: 'acme' }
  try {
    for (const [key, value] of Object.entries(polluted)) Object.defineProperty(prototype, key, { value, configurable: true, writable: true, enumerable: false })
    t.equal(await ask(app, '/me', realms.acme.token()), '200')
    t.equal(await ask(app, '/me', realms.stranger.token({ claims: { aud: 'other' } })), '401 token_not_valid')
    t.equal(realms.stranger.requests.certs, 1)
  } finally {
    for (const key of Object.keys(polluted)) delete prototype[key]
  }
})

t.test('a kept token falls with its realm: when the tenant is gone, it is refused', async (t) => {
  const realms: Record<string, TestRealm> = await realmsFor(t, 'acme', 'globex')
  const app = await tenantApiFor(t, (iss) => finderOf(realms)(iss), { maxIssuers: 1 })
  const token = realms.acme!.token()
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', token), '200')
  t.equal(app.keycloak.health().cache!.tokens, 1)
  t.equal(await ask(app, '/me', realms.globex!.token()), '200')
  t.equal(app.keycloak.health().cache!.tokens, 1, 'that of the other tenant')
  delete realms.acme
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
})

t.test('a function that hangs for strangers holds up neither open realms nor those that return', async (t) => {
  const clocks = clocksFor(t)
  const realms = await realmsFor(t, 'acme', 'globex')
  let hanging = 0
  const app = await tenantApiFor(t, (iss) => finderOf(realms)(iss) ?? new Promise((resolve) => {
    hanging++
    setTimeout(() => resolve(null), 60_000).unref()
  }), { maxIssuers: 1 })
  for (const name of ['acme', 'globex'] as const) t.equal(await ask(app, '/me', realms[name].token()), '200')
  const attack = Array.from({ length: 200 }, async (_, at) => ask(app, '/me', forged(STRANGER + at)))
  await until(() => hanging === 12)
  for (const name of ['globex', 'acme', 'globex'] as const) t.equal(await ask(app, '/me', realms[name].token()), '200')
  clocks.advance(1)
  t.equal(hanging, 12)
  await app.close()
  t.same(new Set(await Promise.all(attack)), new Set(['503 keycloak_unavailable']))
})

t.test('strangers who name all tenants close no realm that is in use', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex', ...Array.from({ length: 30 }, (_, at) => `named-${at}`))
  const app = await tenantApiFor(t, finderOf(realms), { maxIssuers: 2 })
  const [acme, globex, ...named] = Object.values(realms)
  for (const realm of [acme!, globex!]) t.equal(await ask(app, '/me', realm.token()), '200')
  const kids = ['a', 'b']
  for (const kid of kids) {
    t.same(new Set(await Promise.all(named.map(async (realm) => ask(app, '/me', realm.token({ kid, forged: true }))))), new Set(['401 token_not_valid']))
  }
  for (const realm of [acme!, globex!]) t.equal(await ask(app, '/me', realm.token()), '200')
  t.same([acme!.requests.certs, globex!.requests.certs], [1, 1])
  t.equal(await ask(app, '/me', named[0]!.token()), '200')
})

t.test('no timer stays when realms have ended and the API is closed', async (t) => {
  const timers = new Set<NodeJS.Timeout>()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: Object.assign((run: () => void, ...rest: [number]) => {
      const timer = set(() => {
        timers.delete(timer)
        run()
      }, ...rest)
      timers.add(timer)
      return timer
    }, set)
  })
  t.intercept(globalThis, 'clearTimeout', {
    value: (timer: NodeJS.Timeout) => {
      timers.delete(timer)
      clear(timer)
    }
  })
  const realms = await realmsFor(t, 'acme', 'globex')
  const app = await tenantApiFor(t, finderOf(realms), { maxIssuers: 1, verifyTokensWithKeycloak: true, startCheck: 'warn' })
  t.equal(await ask(app, '/me', realms.acme.token()), '200')
  await until(() => realms.acme.requests.discovery === 1)
  const before = new Set(timers)
  t.ok(before.size > 0)
  t.equal(await ask(app, '/me', realms.globex.token()), '200')
  await until(() => [...before].every((timer) => !timers.has(timer)))
  t.equal(await ask(app, '/me', forged(STRANGER)), '401 token_not_valid')
  await app.close()
  await until(() => timers.size === 0)
})

t.test('the API closes while the function is called', async (t) => {
  const app = Fastify()
  t.teardown(async () => app.close())
  let called = false
  await app.register(keycloak, { issuers: () => { called = true; return new Promise(() => {}) } })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = fetch(`${url}/me`, { headers: bearer(forged(`${STRANGER}a`)) })
  await until(() => called)
  await app.close()
  const { status, headers } = await answer
  t.same([status, headers.get('connection')], [503, 'close'])
})
