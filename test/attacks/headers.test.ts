// RFC 8725 section 3.1, 3.10 and 3.11; RFC 7515 section 4.1: nothing in a header may bring a key along, point at one,
// switch a check off or pass for another kind of token.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { apiFor, realmFor } from '../support/app.js'
import { by, type Case, check, compact, encode, type Json, parts, publicJwk, sealed, strangersKey } from '../support/vectors.js'

t.test('a key that comes with the token, or that it points at, is never used nor fetched', async (t) => {
  let visits = 0
  const evil = createServer((_request, response) => { visits++; response.end(JSON.stringify({ keys: [{ ...publicJwk(strangersKey()), kid: 'mine' }] })) })
  await new Promise<void>((resolve) => { evil.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => evil.close())
  const url = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`

  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const jwk: Json = { ...publicJwk(strangersKey()), alg: 'RS256', use: 'sig' }
  const x5c = [Buffer.from('MIIB').toString('base64')]
  const extras: Array<Record<string, unknown>> = [
    { jwk }, { jwk: { ...jwk, kid: header.kid } }, { jwk: { ...jwk, kid: 'mine' }, kid: 'mine' }, { jwk: JSON.stringify(jwk) }, { jwks: { keys: [jwk] } },
    { jku: url }, { jku: `${url}#${realm.issuer}` }, { jku: `${realm.issuer}@127.0.0.1` }, { jku: [url] }, { jku: url, kid: 'mine' }, { jwks_uri: url },
    { x5u: url }, { x5c }, { x5c, x5t: 'x', 'x5t#S256': 'x' }, { kid: url }, { kid: `${url}protocol/openid-connect/certs` }, { iss: url, kid: 'mine' }, { url },
    { trust_chain: ['x'] }, { epk: jwk }, { key: jwk }, { n: jwk.n, e: jwk.e }
  ]
  for (const extra of extras) {
    await check(t, app, [
      [`forged ${JSON.stringify(extra).slice(0, 60)}`, compact({ ...header, ...extra }, claims, by('RS256', strangersKey()))],
      [`forged, no kid ${JSON.stringify(extra).slice(0, 60)}`, compact({ alg: 'RS256', ...extra }, { ...claims, iss: url }, by('RS256', strangersKey()))]
    ])
    if (!('kid' in extra)) await check(t, app, [['rightly signed: it is ignored', compact({ ...header, ...extra }, claims, by('RS256')), '200']])
  }
  t.equal(visits, 0, 'and nobody was asked')
  t.equal(realm.requests.other, 0)
})

t.test('what must be understood is not, so a token with crit is refused, well signed or not', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const headers: Array<Record<string, unknown>> = [
    { crit: ['x'], x: true }, { crit: ['b64'], b64: true }, { crit: ['b64'], b64: false }, { crit: ['exp'], exp: 1 }, { crit: ['alg'] }, { crit: ['typ', 'kid'] },
    { crit: [''] }, { crit: [] }, { crit: null }, { crit: false }, { crit: 0 }, { crit: '' }, { crit: 'x' }, { crit: {} }, { crit: { length: 0 } }, { crit: [[]] },
    { crit: ['crit'] }, { crit: ['__proto__'] }, { crit: ['toString'] }, { crit: ['http://openbanking.org.uk/iat'], 'http://openbanking.org.uk/iat': 0 }
  ]
  await check(t, app, headers.map((extra): Case => [JSON.stringify(extra), compact({ ...header, ...extra }, claims, by('RS256'))]))
  // RFC 7797: with b64 false the payload is signed, and may be sent, as it is.
  const b64 = encode({ ...header, b64: false, crit: ['b64'] })
  const silent = encode({ ...header, b64: false })
  const text = JSON.stringify(claims).replaceAll('.', '')
  const signature = (input: string) => encode(by('RS256')(input))
  await check(t, app, [
    ['b64 false, signed unencoded, sent encoded', `${b64}.${encode(text)}.${signature(`${b64}.${text}`)}`],
    ['b64 false, sent unencoded', `${b64}.${text}.${signature(`${b64}.${text}`)}`],
    ['b64 false, sent unencoded and without a space', `${b64}.${text.replaceAll(' ', '')}.${signature(`${b64}.${text.replaceAll(' ', '')}`)}`],
    ['b64 false without crit, signed unencoded', `${silent}.${encode(text)}.${signature(`${silent}.${text}`)}`],
    ['crit escaped', compact(`{"alg":"RS256","kid":"${header.kid}","\\u0063rit":["x"]}`, claims, by('RS256'))],
    ['CRIT, which is no parameter that anybody defined', compact({ ...header, CRIT: ['x'] }, claims, by('RS256')), '200']
  ])
})

t.test('a kid names one key of the set and is nothing else', async (t) => {
  const realm = await realmFor(t)
  // Longer than the test, so that one refresh is all that unknown kids get.
  const app = await apiFor(t, realm, { jwks: { cooldown: 600_000 } })
  const { header, claims } = parts(realm)
  const { kid } = header
  const kids: unknown[] = [
    `${kid} `, ` ${kid}`, `${kid}\0`, `${kid}\n`, `${kid}.`, `/${kid}`, kid.toLowerCase(), kid.toUpperCase(), kid.slice(0, -1), `${kid}=`, `${kid}\u200b`, `\ufeff${kid}`,
    encode(kid), [kid], { kid }, { toString: kid }, 0, 1, true, null, '', '*', '.', '..', '%', '\0', '\ud800', 'undefined', 'null', '0',
    '../../../../dev/null', '/dev/null', 'file:///dev/null', '/proc/self/environ', '..\\..\\windows\\win.ini', 'x\' UNION SELECT \'secret\' -- ',
    '"; DROP TABLE keys; --',
    '$(id)', '`id`', '| id', '{{7*7}}', '$' + '{jndi:ldap://127.0.0.1/x}', '{"$gt":""}', '<script>', '\r\nX-Injected: 1',
    '__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'keys', 'length', 'kid',
    `${realm.issuer}:${kid}`, `RS256:${kid}`, `RS256:${kid}:${encodeURIComponent(realm.issuer)}`, `{"kid":"${kid}","alg":"RS256"}`, 'k'.repeat(10_000)
  ]
  for (const each of kids) {
    const name = JSON.stringify(each).slice(0, 40)
    await check(t, app, [
      [`${name}, rightly signed`, compact({ ...header, kid: each }, claims, by('RS256'))],
      [`${name}, forged`, compact({ ...header, kid: each }, claims, by('RS256', strangersKey()))]
    ])
  }
  await check(t, app, [
    ['kid twice', compact(`{"alg":"RS256","kid":"${kid}","kid":"x"}`, claims, by('RS256'))],
    ['kid written with escapes', compact(`{"alg":"RS256","kid":"\\u00${kid.charCodeAt(0).toString(16)}${kid.slice(1)}"}`, claims, by('RS256')), '200'],
    ['control', realm.token(), '200']
  ])
  t.ok(realm.requests.certs <= 2, 'and all of them together asked for one refresh')
})

t.test('members of every object are not members of a header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const good = JSON.stringify(header)
  await check(t, app, [
    ['alg in __proto__', compact(`{"__proto__":${good}}`, claims, by('RS256'))],
    ['kid in __proto__: there is no kid, and one key fits', compact('{"alg":"RS256","__proto__":{"kid":"x"}}', claims, by('RS256')), '200'],
    ['crit in __proto__ is nobody\'s', compact(good.replace('{', '{"__proto__":{"crit":["x"],"typ":"x"},'), claims, by('RS256')), '200'],
    ['alg in constructor.prototype', compact(`{"constructor":{"prototype":${good}}}`, claims, by('RS256'))],
    ['an array of headers', compact(`[${good}]`, claims, by('RS256'))],
    ['a header in a string', compact(JSON.stringify(good), claims, by('RS256'))],
    ['an empty header', compact({}, claims, by('RS256'))]
  ])
  t.notOk('alg' in {}, 'and no prototype was touched')
})

t.test('the typ of another kind of token is refused, and so is what only looks like JWT', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const types: unknown[] = [
    'dpop+jwt', 'logout+jwt', 'id+jwt', 'secevent+jwt', 'oauth-authz-req+jwt', 'token-introspection+jwt', 'jose', 'JOSE+JSON', 'JWS', 'JWE', 'jwt+at', 'at+jwt ',
    ' JWT', 'JWT\0',
    '\uff2a\uff37\uff34', 'J\u0428T', 'at\u200b+jwt', 'application/jwt', 'text/at+jwt', 'application/at+jwt; charset=utf-8', 'application/application/at+jwt', '', [],
    ['at+jwt'], {}, 1, true, null
  ]
  await check(t, app, types.map((typ): Case => [JSON.stringify(typ), compact({ ...header, typ }, claims, by('RS256'))]))
})

t.test('a payload that is compressed, or another token, is no claims', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const inner = realm.token()
  await check(t, app, [
    ['a token in a token, cty JWT', compact({ ...header, cty: 'JWT' }, inner, by('RS256'))],
    ['a token in a token, as a JSON string', compact({ ...header, cty: 'JWT' }, JSON.stringify(inner), by('RS256'))],
    ['a forged token in a good one', compact({ ...header, cty: 'JWT' }, compact(header, claims, by('RS256', strangersKey())), by('RS256'))],
    ['zip DEF', compact({ ...header, zip: 'DEF' }, deflateRawSync(JSON.stringify(claims)), by('RS256'))],
    ['a megabyte of zeros, deflated', compact({ ...header, zip: 'DEF' }, deflateRawSync(Buffer.alloc(1_000_000)), by('RS256'))],
    ['a forged one that says it is encrypted', sealed(`${encode({ ...header, enc: 'A256GCM', cty: 'JWT' })}.${encode(claims)}`, by('RS256', strangersKey()))],
    ['control: cty on plain claims is only a remark', compact({ ...header, cty: 'json' }, claims, by('RS256')), '200']
  ])
})
