// RFC 7518 section 3.3 and 6, RFC 8032 section 5.1.7, RFC 8725 section 3.4 and 3.5: whatever the realm's key set holds, it
// lets nobody in but those who hold a private key, and one bad entry spoils no good one.
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'
import { by, bytes, type Case, check, compact, encode, flipped, integer, type Json, NOT_VALID, parts, publicJwk, publish, realmsKey } from '../support/vectors.js'

const UNAVAILABLE = '503 keycloak_unavailable'
const P256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n

t.test('a point that is not on its curve is no key', async (t) => {
  const realm = await realmFor(t, { algorithms: ['ES256'] })
  const { header, claims } = parts(realm)
  const good = publicJwk(realmsKey('ES256'))
  const number = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
  const coordinate = (value: bigint, length = 32) => encode(integer(value, length))
  const [x, y] = [number(good.x), number(good.y)]
  const points: Record<string, Json> = {
    'y one off': { y: coordinate(y + 1n) },
    'x one off': { x: coordinate(x + 1n) },
    'x and y swapped': { x: good.y, y: good.x },
    'y of zero': { y: coordinate(0n) },
    'both zero': { x: coordinate(0n), y: coordinate(0n) },
    'x of zero': { x: coordinate(0n) },
    'x is p': { x: coordinate(P256) },
    'y is p': { y: coordinate(P256) },
    'all ones': { x: coordinate(2n ** 256n - 1n), y: coordinate(2n ** 256n - 1n) },
    'x and p': { x: coordinate(x + P256, 33) },
    'y doubled in length': { y: encode(Buffer.concat([Buffer.from(good.y, 'base64url'), Buffer.from(good.y, 'base64url')])) },
    'no y': { y: undefined },
    'no x': { x: undefined },
    'an empty y': { y: '' },
    'a number for y': { y: 5 },
    'a list for y': { y: [good.y] },
    'y in hex': { y: y.toString(16) },
    'another curve': { crv: 'P-384' },
    'no curve': { crv: undefined },
    'an OKP curve': { crv: 'Ed25519' },
    'another type': { kty: 'OKP' },
    'RSA in name': { kty: 'RSA' },
    'curve by OID': { crv: '1.2.840.10045.3.1.7' },
    'curve in lower case': { crv: 'p-256' }
  }
  const bad = Object.entries(points).map(([kid, change]) => ({ ...good, kid, ...change }))
  publish(realm, bad)
  t.equal(await ask(await apiFor(t, realm, { algorithms: ['ES256', 'EdDSA', 'RS256'] }), '/me', realm.token()), UNAVAILABLE, 'they alone are no key set')
  publish(realm, [...bad, { ...good, kid: header.kid }])
  const app = await apiFor(t, realm, { algorithms: ['ES256', 'EdDSA', 'RS256'] })
  for (const { kid } of bad) await check(t, app, [[kid, compact({ alg: 'ES256', kid }, claims, by('ES256'))], [`${kid}, zeros`, compact({ alg: 'ES256', kid }, claims, bytes(Buffer.alloc(64)))]])
  await check(t, app, [['control', realm.token(), '200']])
})

t.test('a weak RSA key is no key, however its numbers are dressed up', async (t) => {
  const realm = await realmFor(t)
  const { header, claims } = parts(realm)
  const good = publicJwk(realmsKey('RS256'))
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const { n, e } = publicJwk(weak.privateKey)
  const number = (hex: string) => encode(Buffer.from(hex, 'hex'))
  const entries: Record<string, [Json, KeyObject?]> = {
    '1024 bits': [{ n, e }, weak.privateKey],
    '1024 bits behind zeros': [{ n: encode(Buffer.concat([Buffer.alloc(128), Buffer.from(n, 'base64url')])), e }, weak.privateKey],
    '1024 bits, alg and use': [{ n, e, alg: 'RS256', use: 'sig' }, weak.privateKey],
    'exponent 1': [{ e: number('01') }],
    'exponent 0': [{ e: number('00') }],
    'exponent 2': [{ e: number('02') }],
    'exponent even': [{ e: number('010000') }],
    'exponent 1 behind zeros': [{ e: number('00000001') }],
    'no exponent': [{ e: undefined }],
    'an empty exponent': [{ e: '' }],
    'exponent a number': [{ e: 65537 }],
    'modulus 0': [{ n: number('00') }],
    'modulus 1': [{ n: number('01') }],
    'modulus empty': [{ n: '' }],
    'modulus a list': [{ n: [good.n] }],
    'no modulus': [{ n: undefined }],
    'exponent of 2048 bits and an even modulus': [{ n: number('80' + '00'.repeat(255)) }],
    '20,000 bits': [{ n: number('ff'.repeat(2500)) }]
  }
  const kids = Object.entries(entries).map(([kid, [change]]) => ({ ...good, kid, ...change }))
  publish(realm, [...kids, { ...good, kid: header.kid }])
  const app = await apiFor(t, realm)
  for (const [kid, [, key]] of Object.entries(entries)) {
    const head = { alg: 'RS256', kid }
    const input = `${encode(head)}.${encode(claims)}`
    await check(t, app, [
      [`${kid}: signed`, compact(head, claims, by('RS256', key))],
      [`${kid}: the padded hash itself`, `${input}.${encode(padded(input))}`], [`${kid}: 1`, compact(head, claims, bytes(integer(1n, 256)))],
      [`${kid}: 0`, compact(head, claims, bytes(Buffer.alloc(256)))]
    ])
  }
  await check(t, app, [['control', realm.token(), '200']])
})

/** What a signature is under the exponent 1: EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) of SHA-256. */
function padded (input: string): Buffer {
  const digest = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), createHash('sha256').update(input).digest()])
  return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - digest.length, 0xff), Buffer.from([0]), digest])
}

/** The points of Ed25519 whose order divides 8, in every encoding: signatures that these verify need no private key. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000', '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000', '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'
].map((hex) => Buffer.from(hex, 'hex'))

t.test('an Edwards key of small order is no key: anybody could sign for it', async (t) => {
  const realm = await realmFor(t, { algorithms: ['EdDSA'] })
  const { header, claims } = parts(realm)
  const good = publicJwk(realmsKey('EdDSA'))
  // Of Ed448 those of order 4, which OpenSSL imports and verifies.
  const points = [...SMALL_ORDER, Buffer.alloc(57), flipped(Buffer.alloc(57), -1, 0x80)]
  publish(realm, [...points.map((x, at) => ({ kty: 'OKP', crv: x.length === 32 ? 'Ed25519' : 'Ed448', kid: `small ${at}`, x: encode(x) })), { ...good, kid: header.kid }])
  const app = await apiFor(t, realm, { algorithms: 'EdDSA' })
  const cases: Case[] = []
  for (const [at, point] of points.entries()) {
    for (let nonce = 0; nonce < 16; nonce++) {
      // R of small order as well, S of zero: it verifies once in a few tries.
      const R = point.length === 32 ? SMALL_ORDER[nonce % 3 * 2]! : points[14 + nonce % 2]!
      cases.push([`small ${at}, nonce ${nonce}`, compact({ alg: 'EdDSA', kid: `small ${at}` }, { ...claims, nonce }, bytes(Buffer.concat([R, Buffer.alloc(R.length)])))])
    }
  }
  const refused = await Promise.all(cases.map(([, token]) => ask(app, '/me', token)))
  t.same(cases.filter((_, at) => refused[at] !== NOT_VALID).map(([name]) => name), [], 'of them all none is let in')
  await check(t, app, [['control', realm.token(), '200']])
})

t.test('keys of several types under one kid, or under none, are told apart by the algorithm', async (t) => {
  const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
  const realm = await realmFor(t, { algorithms })
  const keys = algorithms.map((alg) => publicJwk(realmsKey(alg)))
  for (const kid of ['shared', '', undefined, 'undefined']) {
    publish(realm, keys.map((key) => ({ ...key, kid })))
    const app = await apiFor(t, realm, { algorithms })
    for (const alg of algorithms) await check(t, app, [[`kid ${JSON.stringify(kid)}, ${alg}`, realm.token({ alg, kid: kid ?? null }), '200']])
  }
  publish(realm, [{ ...keys[0], kid: 'undefined' }, { ...keys[1], kid: undefined }, { ...keys[2], kid: 'null' }])
  const app = await apiFor(t, realm, { algorithms })
  await check(t, app, [['kid "undefined"', realm.token({ kid: 'undefined' }), '200'], ['no kid', realm.token({ alg: 'ES256', kid: null }), '200'], ['kid "null"', realm.token({ alg: 'EdDSA', kid: 'null' }), '200']])
})

t.test('two keys of one type under one kid are ambiguous, and no way in', async (t) => {
  const realm = await realmFor(t)
  const { header } = parts(realm)
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const keys of [[publicJwk(realmsKey('RS256')), publicJwk(other.privateKey)], [publicJwk(other.privateKey), publicJwk(realmsKey('RS256'))]]) {
    publish(realm, keys.map((key) => ({ ...key, kid: header.kid })))
    const app = await apiFor(t, realm)
    await check(t, app, [['a stranger\'s', realm.token({ forged: true })]])
    t.match(await ask(app, '/me', realm.token()), /^(200|401 token_not_valid)$/, 'the realm\'s own, one of the two')
  }
})

t.test('a key for another purpose verifies nothing, and neither does one whose private half is published', async (t) => {
  const realm = await realmFor(t)
  const { header, claims } = parts(realm)
  const good = publicJwk(realmsKey('RS256'))
  const secret = realmsKey('RS256').export({ format: 'jwk' })
  const changes: Json[] = [
    { use: 'enc' }, { use: 'SIG' }, { use: '' }, { use: ['sig'] }, { use: null }, { key_ops: ['encrypt'] }, { key_ops: ['sign'] }, { key_ops: [] },
    { key_ops: 'verify' }, { key_ops: { 0: 'verify' } }, { key_ops: null },
    { use: 'sig', key_ops: ['wrapKey'] }, { alg: 'RSA-OAEP' }, { alg: 'RS512' }, { alg: 'PS256' }, { alg: 'ES256' }, { alg: 'HS256' }, { alg: 'none' }, { alg: '' },
    { alg: null }, { alg: ['RS256'] }, { kty: 'rsa' }, { kty: ['RSA'] }, { kty: undefined },
    secret, { d: secret.d }, { d: '' }, { d: null }
  ]
  publish(realm, [...changes.map((change, at) => ({ ...good, ...change, kid: `bad ${at}` })), { ...good, kid: header.kid, use: 'sig', key_ops: ['verify'] }])
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256'] })
  await check(t, app, changes.map((change, at): Case => [JSON.stringify(change).slice(0, 40), compact({ alg: 'RS256', kid: `bad ${at}` }, claims, by('RS256'))]))
  await check(t, app, [['control', realm.token(), '200']])
})
