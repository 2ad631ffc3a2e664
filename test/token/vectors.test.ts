// The classes of Project Wycheproof's vectors for JSON Web Signature, generated anew by node:crypto with the keys of the test
// realm, since no package carries the files and their payloads are no claims. Per algorithm: valid, and then modified, missing
// or superfluous header, payload, signature and separators, "none", HMAC with the public key, embedded key, JSON
// serialization; for RSA: modified PKCS #1 padding and PSS encoding, numbers out of range; for ECDSA: r and s at the edges,
// encodings of other lengths, DER; for EdDSA: malleable S and R. The class of base64 is in attacks-serialization.test.ts, the
// classes of the key vectors (mixed, duplicate, small, exponent 1, wrong use, curve, type or point) are in
// attacks-keys.test.ts. Left out: keys with the ROCA fingerprint, which nothing here looks for.
import { constants, createHash, createPublicKey, privateEncrypt, publicDecrypt, sign } from 'node:crypto'
import t from 'tap'
import type { Algorithm } from '../../types/options.js'
import { apiFor, realmFor } from '../support/app.js'
import { ALGORITHMS, by, bytes, type Case, check, compact, encode, flipped, hmac, integer, parts, publicJwk, realmsKey, sealed, strangersKey } from '../support/vectors.js'

for (const [alg, verifyInThreadPool] of ALGORITHMS.flatMap((each) => [[each, false], [each, true]] as const)) {
  t.test(`${alg}${verifyInThreadPool ? ', verified in the thread pool' : ''}: what is not exactly header, payload and their signature is refused`, async (t) => {
    const realm = await realmFor(t, { algorithms: [alg] })
    const app = await apiFor(t, realm, { algorithms: alg, verifyInThreadPool })
    const { header, claims, raw: [h, p, s] } = parts(realm, { alg })
    const signature = Buffer.from(s, 'base64url')
    const pem = createPublicKey(realmsKey(alg)).export({ type: 'spki', format: 'pem' })
    const modified = (text: string) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1)
    await check(t, app, [
      ['valid', `${h}.${p}.${s}`, '200'], ['valid, white space in the JSON of the header', compact(JSON.stringify(header, null, 1), claims, by(alg)), '200'],
      ['valid, members in another order', compact({ kid: header.kid, typ: 'JWT', alg }, claims, by(alg)), '200'],
      ...[0, 1, signature.length >> 1, -2, -1].map((at): Case => [`signature modified at ${at}`, `${h}.${p}.${encode(flipped(signature, at, 0x80))}`]),
      ['payload modified', `${h}.${encode({ ...claims, preferred_username: 'admin' })}.${s}`], ['payload modified in a bit', `${h}.${modified(p)}.${s}`],
      ['header modified', `${encode({ ...header, x: 1 })}.${p}.${s}`], ['header in another order', `${encode({ kid: header.kid, typ: 'JWT', alg })}.${p}.${s}`],
      ['no signature', `${h}.${p}.`], ['no signature and no separator', `${h}.${p}`], ['no payload', `${h}..${s}`], ['no payload and no separator', `${h}.${s}`],
      ['no header', `.${p}.${s}`], ['no header and no separator', `${p}.${s}`],
      ['a payload alone', p], ['a payload between separators', `.${p}.`], ['an empty component more', `${h}.${p}.${s}.`], ['a component more', `${h}.${p}.${s}.${p}`],
      ['an empty component before', `.${h}.${p}.${s}`],
      ['none', `${encode({ ...header, alg: 'none' })}.${p}.`], ['none, with the signature', `${encode({ ...header, alg: 'none' })}.${p}.${s}`],
      ['HMAC with the public key', compact({ ...header, alg: `HS${alg === 'EdDSA' ? 256 : alg.slice(2)}` }, claims, hmac('HS256', pem))],
      ['an embedded key', compact({ ...header, jwk: publicJwk(strangersKey()) }, claims, by('RS256', strangersKey()))],
      ['another key', realm.token({ alg, forged: true })],
      ['JSON serialization', JSON.stringify({ payload: p, signatures: [{ protected: h, header: { unknown: 1 }, signature: s }] })],
      ['flattened', JSON.stringify({ payload: p, protected: h, signature: s })],
      ['the payload alone signed', `${h}.${p}.${encode(by(alg)(p))}`],
      ['the claims signed, not their encoding', `${h}.${p}.${encode(by(alg)(JSON.stringify(claims)))}`], ['the header alone signed', `${h}.${p}.${encode(by(alg)(h))}`],
      ['the signature twice', `${h}.${p}.${encode(Buffer.concat([signature, signature]))}`],
      ['a byte more', `${h}.${p}.${encode(Buffer.concat([signature, Buffer.alloc(1)]))}`],
      ['a zero in front', `${h}.${p}.${encode(Buffer.concat([Buffer.alloc(1), signature]))}`],
      ['a byte less', `${h}.${p}.${encode(signature.subarray(1))}`], ['a byte less at the end', `${h}.${p}.${encode(signature.subarray(0, -1))}`],
      ['half', `${h}.${p}.${encode(signature.subarray(signature.length / 2))}`], ['one byte', `${h}.${p}.AA`],
      ['zeros', sealed(`${h}.${p}`, bytes(Buffer.alloc(signature.length)))], ['ones', sealed(`${h}.${p}`, bytes(Buffer.alloc(signature.length, 0xff)))],
      ['backwards', `${h}.${p}.${encode(Buffer.from(signature).reverse())}`], ['four kilobytes', sealed(`${h}.${p}`, bytes(Buffer.alloc(4096)))],
      ['the signature of another token', `${h}.${p}.${parts(realm, { alg, username: 'bob' }).raw[2]}`]
    ])
  })
}

const RSA = realmsKey('RS256')
const N = BigInt(`0x${Buffer.from(publicJwk(RSA).n, 'base64url').toString('hex')}`)
const big = (buffer: Uint8Array) => BigInt(`0x${Buffer.from(buffer).toString('hex')}`)
/** The private operation on a block that is padded already: what only the realm can do, and would not. */
const power = (block: Buffer) => privateEncrypt({ key: RSA, padding: constants.RSA_NO_PADDING }, block)
const sha256 = (input: string) => createHash('sha256').update(input).digest()
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')

t.test('RS256: a padding that is not the one of RFC 8017 section 9.2 is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const block = (info: Buffer, { type = [0, 1], filler = 0xff, separator = [0], length = 256, tail = Buffer.alloc(0) } = {}) => {
    const rest = Buffer.concat([Buffer.from(separator), info, tail])
    return Buffer.concat([Buffer.from(type), Buffer.alloc(length - type.length - rest.length, filler), rest])
  }
  const info = (prefix: string) => (digest: Buffer) => block(Buffer.concat([Buffer.from(prefix, 'hex'), digest]))
  const plain = (digest: Buffer) => Buffer.concat([SHA256_INFO, digest])
  const forms: Record<string, (digest: Buffer) => Buffer> = {
    'no DigestInfo': (digest) => block(digest),
    'no NULL': info('302f300b0609608648016503040201' + '0420'),
    'NULL of one byte': info('3032300e06096086480165030402010501000420'),
    'NULL twice': info('3033300f0609608648016503040201050005000420'),
    'zeros for NULL': info('3031300d060960864801650304020100000420'),
    'OID of SHA-1': info('3025300906052b0e03021a05000420'),
    'OID of SHA-384': info('3031300d060960864801650304020205000420'),
    'OID of SHA-512': info('3031300d060960864801650304020305000420'),
    'OID of SHA-224': info('3031300d060960864801650304020405000420'),
    'OID of MD5': info('302c300806082a864886f70d020505000420'),
    'OID with a bit less': info('3031300d060960864801650304020005000420'),
    'OID without end': info('3031300d060960864801650304028105000420'),
    'long length of the sequence': info('308131300d060960864801650304020105000420'),
    'long length of the digest': info('3032300d06096086480165030402010500048120'),
    'indefinite length': info('3080300d060960864801650304020105000420'),
    'length one too much': info('3032300d060960864801650304020105000420'),
    'length one too little': info('3030300d060960864801650304020105000420'),
    'digest a bit string': info('3031300d060960864801650304020105000320'),
    'outer set': info('3131300d060960864801650304020105000420'),
    'bytes behind the digest': (digest) => block(plain(digest), { tail: Buffer.alloc(8) }),
    'short padding, garbage behind': (digest) => Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(8, 0xff), Buffer.from([0]), plain(digest), Buffer.alloc(256 - 11 - 51)]),
    'short padding, hash at its end': (digest) => Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(8, 0xff), Buffer.from([0]), Buffer.alloc(256 - 11 - 51), plain(digest)]),
    'padding of zeros': (digest) => block(plain(digest), { filler: 0 }),
    'padding of 0xfe': (digest) => block(plain(digest), { filler: 0xfe }),
    'a wrong byte in the padding': (digest) => flipped(block(plain(digest)), 100),
    'its first byte wrong': (digest) => flipped(block(plain(digest)), 2),
    'its last byte wrong': (digest) => flipped(block(plain(digest)), 256 - 53),
    'no separator': (digest) => block(plain(digest), { separator: [] }),
    'two separators': (digest) => block(plain(digest), { separator: [0, 0] }),
    'another separator': (digest) => block(plain(digest), { separator: [1] }),
    'block type 0': (digest) => block(plain(digest), { type: [0, 0], filler: 0 }),
    'block type 0 with ones': (digest) => block(plain(digest), { type: [0, 0] }),
    'block type 2': (digest) => block(plain(digest), { type: [0, 2] }),
    'no type': (digest) => block(plain(digest), { type: [0] }),
    'type in front': (digest) => block(plain(digest), { type: [1] }),
    'a digest cut short': (digest) => block(plain(digest).subarray(0, -1)),
    'a digest backwards': (digest) => block(plain(Buffer.from(digest).reverse())),
    'an empty digest': () => block(SHA256_INFO),
    'a digest of nothing': () => block(plain(sha256(''))),
    'a digest of the digest': (digest) => block(plain(createHash('sha256').update(digest).digest())),
    'a digest in hex': (digest) => block(plain(Buffer.from(digest.toString('hex')))),
    zero: () => Buffer.alloc(256),
    one: () => integer(1n, 256)
  }
  await check(t, app, [
    ['control', compact(header, claims, (input) => power(block(plain(sha256(input))))), '200'],
    ...Object.entries(forms).map(([name, form]): Case => [name, compact(header, claims, (input) => power(form(sha256(input))))])
  ])
})

t.test('RS256 and PS256: a number that is not the signature itself is refused', async (t) => {
  for (const alg of ['RS256', 'PS256'] as const) {
    const realm = await realmFor(t, { algorithms: [alg] })
    const app = await apiFor(t, realm, { algorithms: alg })
    const { header, claims } = parts(realm)
    const own = by(alg)
    const changes: Record<string, (s: bigint) => Buffer> = {
      'with n added': (s) => integer(s + N, 257),
      'with 2n added': (s) => integer(s + 2n * N, 257),
      'n less it': (s) => integer(N - s, 256),
      n: () => integer(N, 256),
      'n less 1': () => integer(N - 1n, 256),
      'n and 1': () => integer(N + 1n, 256),
      zero: () => integer(0n, 256),
      one: () => integer(1n, 256),
      two: () => integer(2n, 256),
      'all ones': () => integer(2n ** 2048n - 1n, 256),
      'one more': (s) => integer(s + 1n, 256),
      'zeros in front': (s) => integer(s, 512),
      'little-endian': (s) => integer(s, 256).reverse()
    }
    await check(t, app, Object.entries(changes).map(([name, change]): Case => [`${alg}: ${name}`, compact(header, claims, (input) => change(big(own(input))))]))
    // One signature of 256 starts with a zero byte, which belongs to it.
    let token = ''
    let signature = Buffer.alloc(1, 1)
    for (let nonce = 0; signature[0] !== 0; nonce++) {
      token = compact(header, { ...claims, nonce }, own)
      signature = Buffer.from(token.split('.')[2]!, 'base64url')
    }
    await check(t, app, [[`${alg}: starts with a zero`, token, '200'], [`${alg}: without that zero`, `${token.slice(0, token.lastIndexOf('.'))}.${encode(signature.subarray(1))}`]])
  }
})

t.test('PS256: the salt is as long as the hash (RFC 7518 section 3.5), and the encoding whole', async (t) => {
  const realm = await realmFor(t, { algorithms: ['PS256'] })
  const app = await apiFor(t, realm, { algorithms: 'PS256' })
  const { header, claims } = parts(realm)
  const salted = (saltLength: number): Case => [`salt of ${saltLength}`, compact(header, claims, by('PS256', RSA, { saltLength })), saltLength === 32 ? '200' : undefined]
  const bent = (at: number, mask: number): Case => [`bit ${mask} of byte ${at} in the encoding`, compact(header, claims, (input) => power(flipped(publicDecrypt({ key: RSA, padding: constants.RSA_NO_PADDING }, by('PS256')(input)), at, mask)))]
  await check(t, app, [
    ...[0, 1, 16, 20, 31, 32, 33, 48, 64, 222].map(salted),
    // The trailer 0xbc, the masked padding, salt and hash.
    ...[[-1, 1], [-1, 0x70], [0, 1], [1, 1], [100, 1], [200, 0xff], [222, 0x80], [230, 1], [-2, 1]].map(([at, mask]) => bent(at!, mask!)),
    ['SHA-384', compact(header, claims, by('PS384'))],
    ['SHA-1', compact(header, claims, (input) => sign('sha1', Buffer.from(input), { key: RSA, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }))],
    ['PKCS #1', compact(header, claims, by('RS256'))]
  ])
})

const CURVES: ReadonlyArray<[alg: Algorithm, length: number, order: bigint]> = [
  ['ES256', 32, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  ['ES384', 48, 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n],
  ['ES512', 66, 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n]
]

t.test('ECDSA: r and s at their edges, in other lengths and in DER are refused', async (t) => {
  for (const [alg, length, n] of CURVES) {
    const realm = await realmFor(t, { algorithms: [alg] })
    const app = await apiFor(t, realm, { algorithms: alg })
    const { header, claims } = parts(realm, { alg })
    const pair = (r: bigint, s: bigint, size = length) => Buffer.concat([integer(r, size), integer(s, size)])
    const edges: Record<string, bigint> = { 0: 0n, 1: 1n, 2: 2n, 'n - 1': n - 1n, n, 'n + 1': n + 1n, 'n / 2': n / 2n, 'all ones': 2n ** (8n * BigInt(length)) - 1n }
    const cases: Case[] = Object.entries(edges).flatMap(([one, r]) => Object.entries(edges).map(([other, s]): Case => [`${alg}: r ${one}, s ${other}`, compact(header, claims, bytes(pair(r, s)))]))
    const changes: Record<string, (r: bigint, s: bigint) => Buffer> = {
      'r 0': (_r, s) => pair(0n, s),
      's 0': (r) => pair(r, 0n),
      'r n': (_r, s) => pair(n, s),
      's n': (r) => pair(r, n),
      'r negated': (r, s) => pair(n - r, s),
      'both negated': (r, s) => pair(n - r, n - s),
      swapped: (r, s) => pair(s, r),
      'r twice': (r) => pair(r, r),
      's twice': (_r, s) => pair(s, s),
      'r one more': (r, s) => pair(r + 1n, s),
      's one more': (r, s) => pair(r, s + 1n),
      'n added to r': (r, s) => pair(r + n, s, length + 1),
      'n added to s': (r, s) => pair(r, s + n, length + 1),
      'n added to both': (r, s) => pair(r + n, s + n, length + 1),
      'a zero before each': (r, s) => pair(r, s, length + 1),
      'a hundred zeros before each': (r, s) => pair(r, s, length + 100),
      'zeros behind': (r, s) => Buffer.concat([pair(r, s), Buffer.alloc(2)]),
      'a byte less each': (r, s) => Buffer.concat([integer(r, length).subarray(1), integer(s, length).subarray(1)]),
      'r alone': (r) => integer(r, length),
      's alone': (_r, s) => integer(s, length),
      'in hex': (r, s) => Buffer.from(pair(r, s).toString('hex')),
      'lengths in front': (r, s) => Buffer.concat([Buffer.from([length]), integer(r, length), Buffer.from([length]), integer(s, length)]),
      'little-endian': (r, s) => Buffer.concat([integer(r, length).reverse(), integer(s, length).reverse()])
    }
    const halves = (signature: Buffer): [bigint, bigint] => [big(signature.subarray(0, length)), big(signature.subarray(length))]
    for (const [name, change] of Object.entries(changes)) cases.push([`${alg}: ${name}`, compact(header, claims, (input) => change(...halves(by(alg)(input))))])
    cases.push(
      [`${alg}: DER`, compact(header, claims, by(alg, realmsKey(alg), { dsaEncoding: 'der' }))],
      [`${alg}: DER, filled up`, compact(header, claims, (input) => Buffer.concat([by(alg, realmsKey(alg), { dsaEncoding: 'der' })(input), Buffer.alloc(length * 2)]).subarray(0, length * 2))],
      [`${alg}: another hash`, compact(header, claims, (input) => sign(alg === 'ES512' ? 'sha256' : 'sha512', Buffer.from(input), { key: realmsKey(alg), dsaEncoding: 'ieee-p1363' }))],
      // Whoever has one signature can make its twin: it signs the same token, and opens nothing else.
      [`${alg}: control: s negated`, compact(header, claims, (input) => { const [r, s] = halves(by(alg)(input)); return pair(r, n - s) }), '200']
    )
    await check(t, app, cases)
  }
})

t.test('EdDSA: S and R have one form (RFC 8032 section 5.1.7)', async (t) => {
  const realm = await realmFor(t, { algorithms: ['EdDSA'] })
  const app = await apiFor(t, realm, { algorithms: 'EdDSA' })
  const { header, claims } = parts(realm)
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const little = (value: bigint) => integer(value, 32).reverse()
  const identity = little(1n)
  const changes: Record<string, (R: Buffer, S: bigint) => Buffer> = Object.fromEntries([
    ...[1n, 2n, 4n, 8n].map((times) => [`S and ${times} L`, (R: Buffer, S: bigint) => Buffer.concat([R, little(S + times * L)])]),
    ['S negated', (R: Buffer, S: bigint) => Buffer.concat([R, little(L - S)])], ['S 0', (R: Buffer) => Buffer.concat([R, little(0n)])],
    ['S L', (R: Buffer) => Buffer.concat([R, little(L)])], ['S all ones', (R: Buffer) => Buffer.concat([R, Buffer.alloc(32, 0xff)])],
    ['the sign of R', (R: Buffer, S: bigint) => Buffer.concat([flipped(R, -1, 0x80), little(S)])],
    ['R the identity', (_R: Buffer, S: bigint) => Buffer.concat([identity, little(S)])], ['R the identity, S 0', () => Buffer.concat([identity, little(0n)])],
    ['R beyond p', (_R: Buffer, S: bigint) => Buffer.concat([little(2n ** 255n - 18n), little(S)])],
    ['R of zeros', (_R: Buffer, S: bigint) => Buffer.concat([Buffer.alloc(32), little(S)])],
    ['R the public key', (_R: Buffer, S: bigint) => Buffer.concat([Buffer.from(publicJwk(realmsKey('EdDSA')).x, 'base64url'), little(S)])],
    ['S before R', (R: Buffer, S: bigint) => Buffer.concat([little(S), R])], ['S big-endian', (R: Buffer, S: bigint) => Buffer.concat([R, integer(S, 32)])],
    ['R alone', (R: Buffer) => R]
  ])
  const halves = (signature: Buffer): [Buffer, bigint] => [signature.subarray(0, 32), big(Buffer.from(signature.subarray(32)).reverse())]
  await check(t, app, [
    ...Object.entries(changes).map(([name, change]): Case => [name, compact(header, claims, (input) => change(...halves(by('EdDSA')(input))))]),
    ['the hash signed', compact(header, claims, (input) => sign(null, createHash('sha512').update(input).digest(), realmsKey('EdDSA')))],
    ['control', compact(header, claims, (input) => { const [R, S] = halves(by('EdDSA')(input)); return Buffer.concat([R, little(S)]) }), '200']
  ])
})
