// RFC 8725 section 2.1 and 3.1 to 3.3: whoever writes a token must not choose how it is verified.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { apiFor, realmFor } from '../support/app.js'
import { ALGORITHMS, by, bytes, type Case, check, compact, encode, hmac, NOT_VALID, parts, publicJwk, publish, realmsKey, sealed, strangersKey } from '../support/vectors.js'

t.test('alg none is no algorithm in any spelling, with any signature or none', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims, raw } = parts(realm, { roles: ['view-profile'] })
  const spellings: unknown[] = [
    'none', 'None', 'NONE', 'nOnE', 'nonE', ' none', 'none ', 'none\0', 'none\n', '\tnone', 'n\u043ene', 'n\u03bfne', '\uff4e\uff4f\uff4e\uff45',
    'no\u200bne', 'none;RS256', 'RS256,none', 'NULL', 'null', 'undefined', '', 'plain', 'unsecured', null, false, true, 0, 256, [], ['none'], ['RS256'],
    {}, { alg: 'none' }, { toString: 'none' }, undefined
  ]
  const cases: Case[] = spellings.flatMap((alg) => {
    const input = `${encode({ ...header, alg })}.${encode(claims)}`
    return [['', input + '.'], ['its signature', `${input}.${raw[2]}`], ['zeros', sealed(input, bytes(Buffer.alloc(256)))]]
      .map(([name, token]): Case => [`${JSON.stringify(alg)} ${name}`, token!])
  })
  cases.push(
    ['two parts and no third', `${encode({ alg: 'none' })}.${encode(claims)}`],
    ['alg twice, none last', compact(`{"alg":"RS256","kid":"${header.kid}","alg":"none"}`, claims, bytes(Buffer.alloc(0)))],
    ['alg twice, none first', compact(`{"alg":"none","kid":"${header.kid}","alg":"RS256"}`, claims, by('RS256'))],
    ['alg twice, one escaped', compact(`{"alg":"RS256","kid":"${header.kid}","\\u0061lg":"RS256"}`, claims, by('RS256'))],
    ['control', compact(header, claims, by('RS256')), '200']
  )
  await check(t, app, cases)
})

t.test('a public key is no secret, in whatever form it is taken for one', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256', 'EdDSA'] })
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256', 'EdDSA'] })
  const certs = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  const cases: Case[] = []
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const { header, claims } = parts(realm, { alg })
    const key = createPublicKey(realmsKey(alg))
    const pem = key.export({ type: 'spki', format: 'pem' }) as string
    const der = key.export({ type: 'spki', format: 'der' })
    const jwk = key.export({ format: 'jwk' })
    const { kty, crv, n, e, x, y } = jwk
    const number = (n ?? x)!
    const entry = JSON.parse(certs).keys.find((each: { kid: string }) => each.kid === header.kid)
    const secrets: Record<string, string | Buffer> = {
      PEM: pem,
      'PEM, trimmed': pem.trim(),
      'PEM, white space before it': `\n \t${pem}`,
      'PEM, CRLF': pem.replaceAll('\n', '\r\n'),
      'PEM, one line': pem.replaceAll('\n', ''),
      'PEM, its base64': pem.replace(/-----.*-----|\n/g, ''),
      DER: der,
      'DER in hex': der.toString('hex'),
      'DER in base64url': der.toString('base64url'),
      JWK: JSON.stringify(jwk),
      'JWK, as published': JSON.stringify(entry),
      'JWK, indented': JSON.stringify(entry, null, 2),
      'JWK, for its thumbprint (RFC 7638)': JSON.stringify(kty === 'RSA' ? { e, kty, n } : { crv, kty, x, ...(y !== undefined && { y }) }),
      'the whole key set': certs,
      'the number': Buffer.from(number, 'base64url'),
      'the number in base64url': number,
      'the number in hex': Buffer.from(number, 'base64url').toString('hex'),
      'the point': Buffer.concat([Buffer.from([4]), Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]),
      kid: header.kid,
      // A look-up that fails must not end in an empty secret (CVE-2026-44351).
      nothing: '',
      zero: Buffer.alloc(1),
      'a block of zeros': Buffer.alloc(64),
      undefined: 'undefined',
      null: 'null',
      'the client\'s secret': realm.options.clientSecret
    }
    if (kty === 'RSA') {
      secrets['PKCS #1 PEM'] = key.export({ type: 'pkcs1', format: 'pem' })
      secrets['PKCS #1 DER'] = key.export({ type: 'pkcs1', format: 'der' })
    }
    for (const [name, secret] of Object.entries(secrets)) {
      for (const hs of ['HS256', 'HS384', 'HS512']) {
        cases.push([`${alg}, ${hs}: ${name}`, compact({ ...header, alg: hs }, claims, hmac(hs, secret))])
      }
      cases.push([`${alg} in name, an HMAC in fact: ${name}`, compact(header, claims, hmac('HS256', secret))])
      cases.push([`${alg}, no kid: ${name}`, compact({ alg: 'HS256' }, claims, hmac('HS256', secret))])
    }
    cases.push([`${alg}: control`, compact(header, claims, by(alg)), '200'])
  }
  await check(t, app, cases)
})

t.test('a secret among the realm\'s keys verifies nothing', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const rsa = publicJwk(realmsKey('RS256'))
  const k = encode('0123456789abcdef0123456789abcdef')
  const secrets = [{ kty: 'oct', k }, { kty: 'oct', k, alg: 'HS256' }, { kty: 'oct', k, alg: 'RS256' }, { ...rsa, kty: 'oct', k }, { kty: 'oct', k: '' }, { ...rsa, k }]
  publish(realm, [...secrets.map((secret, at) => ({ ...secret, kid: `secret ${at}`, use: 'sig' })), { ...rsa, kid: header.kid }])
  for (const at of secrets.keys()) {
    for (const alg of ['HS256', 'RS256']) {
      for (const secret of [Buffer.from(k, 'base64url'), k, '']) {
        await check(t, app, [[`${JSON.stringify(secrets[at]).slice(0, 40)} ${alg}`, compact({ alg, kid: `secret ${at}` }, claims, hmac('HS256', secret))]])
      }
    }
  }
  await check(t, app, [['control', realm.token(), '200']])
})

t.test('the key of one algorithm verifies no other, though all are allowed', async (t) => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  const app = await apiFor(t, realm, { algorithms: ALGORITHMS })
  const cases: Case[] = []
  for (const own of ALGORITHMS) {
    const { header, claims } = parts(realm, { alg: own })
    for (const alg of ALGORITHMS) {
      const named = { ...header, alg }
      if (alg === own) cases.push([`control: ${own}`, compact(named, claims, by(own)), '200'])
      else {
        cases.push([`kid of ${own}, alg ${alg}, signed as ${own}`, compact(named, claims, by(own))])
        cases.push([`kid of ${own}, alg ${alg}, signed as ${alg}`, compact(named, claims, by(alg))])
        cases.push([`kid of ${own}, alg ${own}, signed as ${alg}`, compact(header, claims, by(alg))])
      }
    }
  }
  await check(t, app, cases)
})

t.test('a key that names no algorithm serves those of its type and curve alone', async (t) => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  const app = await apiFor(t, realm, { algorithms: ALGORITHMS })
  const { claims } = parts(realm)
  const types: Record<string, RegExp> = { RS256: /^[RP]S/, ES256: /^ES256$/, ES384: /^ES384$/, ES512: /^ES512$/, EdDSA: /^EdDSA$/ }
  publish(realm, Object.keys(types).map((kid) => ({ ...publicJwk(realmsKey(kid as typeof ALGORITHMS[number])), kid })))
  await check(t, app, Object.entries(types).flatMap(([kid, fitting]) => ALGORITHMS.map((alg): Case => {
    return [`the key of ${kid}, alg ${alg}`, compact({ alg, kid }, claims, by(alg)), fitting.test(alg) ? '200' : NOT_VALID]
  })))
})

t.test('what the realm could verify but the options do not allow is refused', async (t) => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  const app = await apiFor(t, realm, { algorithms: ['PS256'] })
  for (const alg of ALGORITHMS) await check(t, app, [[alg, realm.token({ alg }), alg === 'PS256' ? '200' : NOT_VALID]])
})

t.test('names that only look like an allowed algorithm are none', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256', 'EdDSA'] })
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256', 'EdDSA'] })
  const { header, claims } = parts(realm)
  const names = [
    'rs256', 'Rs256', 'RS256 ', ' RS256', 'RS256\0', 'RS-256', 'RSA256', 'RS0256', 'RS256RS256', 'RS25\uff16', '\u211bS256', 'R\u0405256', 'RSA-SHA256',
    'sha256WithRSAEncryption',
    'RS1', 'MD5', 'RS2560', 'ES256K', 'ES256k', 'Ed25519', 'Ed448', 'EDDSA', 'eddsa', 'RSA-OAEP', 'RSA1_5', 'A256GCM', 'dir', 'ECDH-ES', 'PBES2-HS256+A128KW',
    'constructor', '__proto__', 'toString', 'hasOwnProperty', '*', 'any', 'RS256,HS256', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
  ]
  await check(t, app, names.map((alg): Case => [alg, compact({ ...header, alg }, claims, by('RS256'))]))
  await check(t, app, [['control', compact(header, claims, by('RS256')), '200']])
})

t.test('a curve that JOSE gives another name to is not taken for P-256', async (t) => {
  const realm = await realmFor(t, { algorithms: ['ES256'] })
  const app = await apiFor(t, realm, { algorithms: ['ES256'] })
  const { claims, header } = parts(realm)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  publish(realm, [{ ...publicJwk(privateKey), kid: 'k' }, { ...publicJwk(privateKey), crv: 'P-256', kid: 'renamed' }, { ...publicJwk(realmsKey('ES256')), kid: header.kid }])
  for (const kid of ['k', 'renamed']) {
    for (const alg of ['ES256', 'ES256K']) await check(t, app, [[`${kid} ${alg}`, compact({ alg, kid }, claims, by('ES256', privateKey))]])
  }
  await check(t, app, [['control', realm.token(), '200']])
})

t.test('a signature by anybody else\'s key is none, whatever the header says of it', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const enc = (await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<{ use: string, kid: string }> }).keys.find(({ use }) => use === 'enc')!
  const forge = by('RS256', strangersKey())
  await check(t, app, [
    ['the realm\'s kid', compact(header, claims, forge)],
    ['no kid', compact({ alg: 'RS256' }, claims, forge)],
    ['an empty kid', compact({ alg: 'RS256', kid: '' }, claims, forge)],
    ['a kid of its own', compact({ alg: 'RS256', kid: 'mine' }, claims, forge)],
    // The test realm's key for encryption has the numbers of the one that signs.
    ['the kid of the key for encryption, rightly signed', compact({ alg: 'RS256', kid: enc.kid }, claims, by('RS256'))],
    ['control', compact({ alg: 'RS256' }, claims, by('RS256')), '200']
  ])
})
