// Signatures of new tokens in libuv's thread pool: the option verifyInThreadPool. The vectors of token/vectors.test.ts and of
// proof/dpop-verifier.test.ts run with it, too.
import { createPublicKey, generateKeyPairSync, type KeyObject, pbkdf2, sign } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createKey } from '../../lib/keys/verification-key.js'
import { SignatureCheck } from '../../lib/keys/signature-check.js'
import { SignaturePool } from '../../lib/keys/signature-pool.js'
import type { KeycloakError } from '../../lib/errors.js'
import { apiFor, ask, bearer, logging, realmFor, refusalsIn, WARN } from '../support/app.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { proofKey } from '../support/proofs.js'

const NOT_VALID = '401 token_not_valid'
const IN_POOL = { verifyInThreadPool: true }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** A pool, and the texts that it was asked about. */
function countingPool (): { pool: SignaturePool, asked: string[] } {
  const [pool, asked]: [SignaturePool, string[]] = [new SignaturePool(), []]
  const isGood = pool.isGood.bind(pool)
  pool.isGood = (check, text, signature) => {
    asked.push(text)
    return isGood(check, text, signature)
  }
  return { pool, asked }
}

function compact (header: string, payload: string | Buffer, key: KeyObject = privateKey): string {
  const input = [header, payload].map((each) => Buffer.from(each).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

async function verdict (token: string, pool: SignaturePool | undefined): Promise<unknown> {
  try {
    return await createKey(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), 'RS256', pool).verify(token)
  } catch (error) {
    return (error as KeycloakError).reasonCode
  }
}

t.test('the pool gives what fast-jwt gives by itself', async (t) => {
  const { pool, asked } = countingPool()
  const good = compact('{"alg":"RS256"}', '{"sub":"1"}')
  const tokens = [
    good,
    compact('{"alg":"RS256"}', '{"sub":"1"}', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    compact('{"alg":"RS256"}', '[1]'),
    compact('{"alg":"RS256"}', 'null'),
    compact('{"alg":"RS256"}', '{"sub":'),
    compact('[]', '{}'),
    good.slice(0, -1),
    `${good.slice(0, -1)}=`,
    `${good.slice(0, -2)}$${good.slice(-1)}`,
    good.replace('.', '.='),
    good.replace(/.$/, 'B')
  ]
  for (const token of tokens) t.same(await verdict(token, pool), await verdict(token, undefined), token.slice(-20))
  t.same(await verdict(good, pool), { sub: '1' })
  t.equal(asked.length > 5, true)
})

t.test('a character beyond ASCII is no other one, though its last eight bits are', async (t) => {
  const { pool, asked } = countingPool()
  const good = compact('{"alg":"RS256"}', '{"sub":"1"}')
  const twin = String.fromCharCode(good.charCodeAt(0) + 256) + good.slice(1)
  t.equal(await verdict(twin, pool), 'signature_invalid')
  t.equal(asked.length, 1)
})

t.test('256 signatures wait in the pool; one more is verified at once', async (t) => {
  const { pool, asked } = countingPool()
  const key = createKey(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), 'RS256', pool)
  const tokens = Array.from({ length: 257 }, (_, at) => compact('{"alg":"RS256"}', JSON.stringify({ sub: String(at) })))
  const results = tokens.map((token) => key.verify(token))
  t.equal(results.filter((result) => result instanceof Promise).length, 256)
  t.same(results[256], { sub: '256' })
  t.equal(pool.hasRoom, false)
  t.same(await Promise.all(results.map(async (result) => await result)), tokens.map((_, at) => ({ sub: String(at) })))
  t.equal(pool.hasRoom, true)
  t.equal(asked.length, 256)
})

t.test('a signature that node:crypto refuses is a bad one', async (t) => {
  const small = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey
  const check = new SignatureCheck(small, 'PS512')
  t.equal(await new SignaturePool().isGood(check, 'text', Buffer.alloc(64)), false)
})

t.test('an API: a token is good and kept, and its route decides; a forged one is refused', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, IN_POOL, log)
  const token = realm.token({ roles: ['view-profile'] })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/profile', token), '200')
  t.equal(app.keycloak.health().cache!.tokens, 1)
  t.equal(await ask(app, '/profile', realm.token()), '403 permission_denied')
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/open', realm.token({ forged: true })), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ expiresIn: -10 })), '401 token_expired')
  t.same(refusalsIn(log).map(({ reasonCode }) => reasonCode), ['roles_absent', 'signature_invalid', 'signature_invalid', 'exp_passed'])
  t.match(await app.keycloak.verify(realm.token({ username: 'bob' })), { preferred_username: 'bob' })
  await t.rejects(app.keycloak.verify(realm.token({ forged: true })), { code: 'token_not_valid' })
})

t.test('the same token many times at once is one kept token', async (t) => {
  const realm = await realmFor(t)
  const sizes = []
  for (const times of [1, 300]) {
    const app = await apiFor(t, realm, IN_POOL)
    t.equal(await ask(app, '/me', realm.token({ username: 'first' })), '200')
    const token = realm.token({ username: 'alice', claims: { groups: ['/a', '/b'] } })
    t.same(new Set(await Promise.all(Array.from({ length: times }, () => ask(app, '/me', token)))), new Set(['200']))
    sizes.push(app.keycloak.health().cache)
  }
  t.match(sizes[0], { tokens: 2 })
  t.same(sizes[1], sizes[0])
})

t.test('a forged token of another algorithm makes no warning that advises to allow it', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const log = logging()
  const app = await apiFor(t, realm, IN_POOL, log)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const [header, payload] = realm.token({ alg: 'ES256' }).split('.')
  t.equal(await ask(app, '/me', `${header}.${payload}.${realm.token({ alg: 'ES256', username: 'bob' }).split('.')[2]}`), NOT_VALID)
  await t.rejects(app.keycloak.verify(realm.token({ alg: 'ES256', forged: true })))
  t.same(log.lines.filter(({ level, check }) => level === WARN && check === 'algorithms'), [])
})

t.test('logouts are verified, too, and count for the token after it', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...IN_POOL, ...LOGOUT })
  const token = realm.token({ username: 'alice' })
  t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(app, realm, { forged: true })).status, 400)
  t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(app, realm)).status, 200)
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('a DPoP proof is good once, and a changed one never', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...IN_POOL, dpop: {} })
  const key = proofKey()
  const token = realm.token({ claims: { cnf: { jkt: key.jkt } } })
  const inject = async (proof: string): Promise<number> => (await app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, dpop: proof } })).statusCode
  const proof = key.proof({ token })
  t.same((await Promise.all(Array.from({ length: 5 }, () => inject(proof)))).sort(), [200, 401, 401, 401, 401])
  t.equal(await inject(key.proof({ token, key: proofKey().privateKey })), 401)
  t.equal(await inject(key.proof({ token })), 200)
})

/** Occupies each thread of the pool. @returns resolves when the first of them is free */
function occupyThreads (): Promise<'free'> {
  return Promise.race(Array.from({ length: 4 }, () => new Promise<'free'>((resolve, reject) => {
    pbkdf2('a password', 'a salt', 2_000_000, 32, 'sha512', (error) => error === null ? resolve('free') : reject(error))
  })))
}

t.test('no signature waits for threads that other work occupies', async (t) => {
  const { pool, asked } = countingPool()
  const key = createKey(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), 'RS256', pool)
  const [good, forged] = [compact('{"alg":"RS256"}', '{"sub":"1"}'), compact('{"alg":"RS256"}', '{"sub":"1"}', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)]
  const free = occupyThreads()
  const results = Promise.allSettled([key.verify(good), key.verify(forged)])
  t.not(await Promise.race([free, results]), 'free')
  t.match(await results, [{ value: { sub: '1' } }, { reason: { reasonCode: 'signature_invalid' } }])
  t.equal(pool.hasRoom, false)
  t.same(key.verify(good), { sub: '1' }, 'at once')
  t.equal(asked.length, 2)
  await free
  while (!pool.hasRoom) await setImmediate()
  t.type(key.verify(good), Promise)
  t.equal(asked.length, 3)
})

t.test('an API that closes answers the requests whose tokens wait, and keeps none of them', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, IN_POOL)
  t.equal(await ask(app, '/me', realm.token({ username: 'first' })), '200')
  const free = occupyThreads()
  const asked = app.inject({ url: '/me', headers: bearer(realm.token()) })
  const verified = app.keycloak.verify(realm.token({ username: 'bob' }))
  await app.close()
  t.not(await Promise.race([free, asked]), 'free')
  t.equal((await asked).statusCode, 200)
  t.match(await verified, { preferred_username: 'bob' })
  t.same(app.keycloak.health().cache, { tokens: 0, bytes: 0 })
  await free
})
