import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { apiFor, ask, realmFor, wait } from '../support/app.js'
import { type HeldKeys, heldKeysFor } from '../support/held-keys.js'
import { backchannel, LOGOUT, logOut } from '../support/logout.js'
import { kidLike, underWay } from '../support/unknown-keys.js'

const NOT_VALID = '401 token_not_valid'

/** Most of them wait. */
t.jobs = 4

/** An API whose way to the realm can be held up. */
async function behind (t: Test, options: Partial<KeycloakOptions> = {}): Promise<{ realm: TestRealm, held: HeldKeys, app: FastifyInstance }> {
  const realm = await realmFor(t)
  const held = await heldKeysFor(t, realm)
  const app = await apiFor(t, realm, { serverUrl: held.url, ...options, jwks: { cooldown: 60_000, ...options.jwks } })
  return { realm, held, app }
}

/** Until Keycloak was asked so often, by whoever it may be. */
async function untilAsked (held: HeldKeys, times: number): Promise<void> {
  while (held.asked < times) await wait(5)
}

/** Makes tokens that nobody signed, of a kid that nobody has; cheap, so that there can be thousands. */
function stranger (realm: TestRealm): (kid?: string) => string {
  const [, ...rest] = realm.token().split('.')
  return (kid = kidLike(String(Math.random()))) => {
    const header = { alg: 'RS256', typ: 'JWT', kid }
    return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')
  }
}

t.test('a rotation while a fetch for another kid is under way is found by the next fetch', async (t) => {
  const { realm, held, app } = await behind(t)
  t.equal(await ask(app, '/open', realm.token()), '200')
  held.hold = true
  const other = ask(app, '/open', realm.token({ kid: 'other' }))
  await untilAsked(held, 2)
  realm.rotateKeys()
  const answers = Promise.all([ask(app, '/open', realm.token()), ask(app, '/open', realm.token()), ask(app, '/open', realm.token({ kid: 'third' }))])
  await wait(20)
  held.hold = false
  held.release()
  t.equal(await other, NOT_VALID)
  t.same(await answers, ['200', '200', NOT_VALID], 'what came during the fetch is asked for once more')
  t.equal(held.asked, 3, 'by one fetch for all')
  t.equal(await ask(app, '/open', realm.token({ kid: 'fourth' })), NOT_VALID)
  t.equal(held.asked, 3, 'and the cooldown holds')
})

t.test('one fetch more, however many come while it is under way', async (t) => {
  const { realm, held, app } = await behind(t)
  t.equal(await ask(app, '/open', realm.token()), '200')
  held.hold = true
  const strangers: Array<Promise<string>> = []
  for (let round = 2; round <= 3; round++) {
    strangers.push(ask(app, '/open', realm.token({ kid: `round-${round}` })))
    await untilAsked(held, round)
    strangers.push(ask(app, '/open', realm.token({ kid: `joins-${round}` })))
    await wait(20)
    held.release()
  }
  held.hold = false
  t.same(await Promise.all(strangers), Array(4).fill(NOT_VALID))
  t.equal(held.asked, 3)
})

t.test('a rotation during the refresh ahead of the end of the keys is found, and uses up no slot', async (t) => {
  const { realm, held, app } = await behind(t, { jwks: { maxAge: 1500 } })
  t.equal(await ask(app, '/open', realm.token()), '200')
  held.hold = true
  await untilAsked(held, 2)
  realm.rotateKeys()
  const answer = ask(app, '/open', realm.token())
  await wait(20)
  held.hold = false
  held.release()
  t.equal(await answer, '200')
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), '200')
})

/** Fetches that no request asked for, or the first one did. */
const FETCHES: Array<[name: string, options: Partial<KeycloakOptions>, jwks?: KeycloakOptions['jwks']]> = [
  ['the check at start', { startCheck: 'warn' }],
  ['jwks.preload', {}, { preload: 'warn' }],
  ['the first request', {}]
]

for (const [name, options, jwks] of FETCHES) {
  t.test(`a rotation during the fetch of ${name} is found`, async (t) => {
    const realm = await realmFor(t)
    const held = await heldKeysFor(t, realm)
    held.hold = true
    const former = realm.token()
    const app = await apiFor(t, realm, { serverUrl: held.url, ...options, jwks: { cooldown: 60_000, ...jwks } })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const first = name === 'the first request' ? ask(app, '/open', former) : undefined
    await untilAsked(held, 1)
    realm.rotateKeys()
    const answers = Promise.all([first ?? ask(app, '/open', former), ask(app, '/open', realm.token())])
    await wait(20)
    held.hold = false
    held.release()
    t.same(await answers, ['200', '200'])
    realm.rotateKeys()
    t.equal(await ask(app, '/open', realm.token()), '200', 'none of it used up a slot')
  })
}

t.test('a logout by a key of a rotation during a fetch is carried out', async (t) => {
  const { realm, held, app } = await behind(t, LOGOUT)
  t.equal(await ask(app, '/me', realm.token()), '200')
  held.hold = true
  const other = ask(app, '/open', realm.token({ kid: 'other' }))
  await untilAsked(held, 2)
  realm.rotateKeys()
  const logout = logOut(app, realm)
  await wait(20)
  held.hold = false
  held.release()
  t.equal(await other, NOT_VALID)
  t.equal((await logout).status, 200)
})

t.test('a rotation that was found uses up no slot: the next one is found at once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { cooldown: 60_000 } })
  for (let rotations = 1; rotations <= 4; rotations++) {
    t.equal(await ask(app, '/open', realm.token()), '200')
    t.equal(realm.requests.certs, rotations)
    realm.rotateKeys()
  }
  t.equal(await ask(app, '/open', realm.token({ kid: 'nobody' })), NOT_VALID, 'a fruitless one does')
  t.equal(realm.requests.certs, 5)
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), NOT_VALID)
  t.equal(realm.requests.certs, 5)
})

/** The same token, said to be signed by another algorithm. */
function relabelled (token: string, alg: string): string {
  const [header, ...rest] = token.split('.')
  const said = { ...JSON.parse(Buffer.from(header!, 'base64url').toString()), alg }
  return [Buffer.from(JSON.stringify(said)).toString('base64url'), ...rest].join('.')
}

t.test('a kid that the set has, with an algorithm that its key does not fit, asks nobody', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, algorithms: ['RS256', 'PS256', 'ES256'], jwks: { cooldown: 60_000 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  for (const alg of ['PS256', 'ES256']) t.equal(await ask(app, '/me', relabelled(realm.token(), alg)), NOT_VALID, alg)
  t.match(await backchannel(app, relabelled(realm.token({ kind: 'logout' }), 'PS256')), { status: 400 }, 'a logout is answered at once')
  t.equal(realm.requests.certs, 1)
  realm.rotateKeys()
  t.equal(await ask(app, '/me', realm.token()), '200')
})

t.test('what comes during a cooldown of a second waits for the next refresh, and is not refused for its haste', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', realm.token({ kid: 'nobody' })), NOT_VALID)
  realm.rotateKeys()
  const answers = [ask(app, '/me', realm.token({ kid: kidLike('another') })), ask(app, '/me', realm.token()), app.keycloak.verify(realm.token())]
  t.same(await Promise.all(answers.slice(0, 2)), [NOT_VALID, '200'])
  t.match(await answers[2], { preferred_username: 'alice' })
  t.equal(realm.requests.certs, 3, 'by one fetch for all')
})

t.test('what waits for the next refresh is answered sooner where a new key set comes by another way', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 1300, cooldown: 1000 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  // The refresh ahead of the end comes after 1000 to 1170 ms, a slot that is used up now is free a second later.
  await wait(700)
  t.equal(await ask(app, '/me', realm.token({ kid: 'nobody' })), NOT_VALID)
  realm.rotateKeys()
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(realm.requests.certs, 3)
})

t.test('no more than a thousand wait, and a kid that several name goes before those that are named once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = stranger(realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', token()), NOT_VALID)
  realm.rotateKeys()
  const honest = [underWay(app, realm.token())]
  const strangers = Array.from({ length: 999 }, () => underWay(app, token()))
  honest.push(underWay(app, realm.token()))
  strangers.push(...Array.from({ length: 500 }, () => underWay(app, token())))
  honest.push(underWay(app, realm.token()))
  await wait(0)
  t.equal(realm.requests.certs, 2)
  t.equal(strangers.filter(({ outcome }) => outcome === 'token_not_valid').length, 502, 'for want of room, the longest waiting first')
  await Promise.all([...honest, ...strangers].map(({ over }) => over))
  t.equal(realm.requests.certs, 3)
  t.same(honest.map(({ outcome }) => outcome), ['good', 'good', 'good'])
  t.ok(strangers.every(({ outcome }) => outcome === 'token_not_valid'))
})

t.test('where nobody of the thousand waits alone, who comes later is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = stranger(realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', token()), NOT_VALID)
  const several = Array.from({ length: 1000 }, (_, at) => underWay(app, token(kidLike(`several-${at % 10}`))))
  const late = [underWay(app, token(kidLike('several-1'))), underWay(app, token())]
  await wait(0)
  t.same(late.map(({ outcome }) => outcome), ['token_not_valid', 'token_not_valid'])
  t.ok(several.every(({ outcome }) => outcome === undefined))
  await Promise.all(several.map(({ over }) => over))
  t.ok(several.every(({ outcome }) => outcome === 'token_not_valid'))
})

t.test('no more than five thousand wait for a fetch that hangs, and again a kid that several name goes first', async (t) => {
  const { realm, held, app } = await behind(t)
  const token = stranger(realm)
  t.equal(await ask(app, '/open', realm.token()), '200')
  held.hold = true
  realm.rotateKeys()
  const honest = [underWay(app, realm.token())]
  await untilAsked(held, 2)
  honest.push(underWay(app, realm.token()), underWay(app, realm.token()))
  const strangers = Array.from({ length: 6000 }, () => underWay(app, token()))
  honest.push(underWay(app, realm.token()))
  await wait(0)
  t.equal(strangers.filter(({ outcome }) => outcome === 'keycloak_unavailable').length, 1003)
  t.match(app.keycloak.health(), { ok: true, keys: { ok: true } }, 'which is no failure of Keycloak')
  held.hold = false
  held.release()
  await Promise.all([...honest, ...strangers].map(({ over }) => over))
  t.ok(honest.every(({ outcome }) => outcome === 'good'))
})

t.test('nor for the first one', async (t) => {
  const { realm, held, app } = await behind(t)
  const token = stranger(realm)
  held.hold = true
  const strangers = [underWay(app, token())]
  await untilAsked(held, 1)
  const honest = [underWay(app, realm.token()), underWay(app, realm.token())]
  strangers.push(...Array.from({ length: 6000 }, () => underWay(app, token())))
  await wait(0)
  t.equal(strangers.filter(({ outcome }) => outcome === 'keycloak_unavailable').length, 1002)
  held.hold = false
  held.release()
  await Promise.all([...honest, ...strangers].map(({ over }) => over))
  t.ok(honest.every(({ outcome }) => outcome === 'good'))
})

t.test('a kid of an entry of the key set that verifies nothing asks nobody', async (t) => {
  const realm = await realmFor(t)
  const { keys } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<Record<string, unknown>> }
  realm.respond('certs', (_request, response) => { response.end(JSON.stringify({ keys: [...keys, null, { ...keys[0], kid: 'for encryption', use: 'enc' }] })) })
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const asked = realm.requests.certs
  t.equal(await ask(app, '/me', realm.token({ kid: 'for encryption' })), NOT_VALID)
  t.equal(realm.requests.certs, asked)
})

t.test('under a flood of thousands of kids a second a rotated key is found by the next fetch, and there is one a second', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = stranger(realm)
  const strangers: Array<Promise<string>> = []
  t.equal(await ask(app, '/me', realm.token()), '200')
  const started = performance.now()
  const flood = setInterval(() => { for (let times = 0; times < 30; times++) strangers.push(ask(app, '/me', token())) }, 10)
  t.teardown(() => clearInterval(flood))
  await wait(1500)
  for (let rotations = 0; rotations < 2; rotations++) {
    realm.rotateKeys()
    const before = realm.requests.certs
    const rotated = realm.token()
    while (await ask(app, '/me', rotated) !== '200') await wait(20)
    t.ok(realm.requests.certs <= before + 2, 'a fetch may be under way just then, and the next one finds it')
  }
  await wait(500)
  clearInterval(flood)
  const seconds = (performance.now() - started) / 1000
  t.ok(realm.requests.certs <= seconds + 4, `${realm.requests.certs} fetches in ${seconds.toFixed(1)} s`)
  t.ok((await Promise.all(strangers)).every((answer) => answer === NOT_VALID), `${strangers.length} strangers`)
})

t.test('a key set that is another with each answer is not asked for without end', async (t) => {
  const realm = await realmFor(t)
  const certs = async () => (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  const sets = [await certs()]
  const tokens = [realm.token()]
  realm.rotateKeys({ removeOld: true })
  sets.push(await certs())
  tokens.push(realm.token())
  let asked = 0
  realm.respond('certs', (_request, response) => { response.end(sets[asked++ % 2]) })
  const app = await apiFor(t, realm, { jwks: { cooldown: 60_000 } })
  const answers: string[] = []
  for (let times = 0; times < 50; times++) answers.push(await ask(app, '/me', tokens[times % 2]))
  t.same(answers.slice(0, 5), Array(5).fill('200'))
  t.ok(asked < 20, `${asked} fetches`)
  t.ok(answers.slice(-2).includes('200'))
})
