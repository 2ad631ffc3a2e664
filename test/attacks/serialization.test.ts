// RFC 7515 section 3 and 7, RFC 7519 section 7.2, RFC 8725 section 3.7: a token has one way to be written, so that
// no two readers see two tokens in it.
import { createPublicKey } from 'node:crypto'
import { CompactEncrypt, EncryptJWT } from 'jose'
import t from 'tap'
import { apiFor, bearer, logging, realmFor } from '../support/app.js'
import { by, type Case, check, checkBothWays, compact, encode, parts, realmsKey, refusal, sealed } from '../support/vectors.js'

t.test('the JSON serializations are not for HTTP headers', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims, raw: [protectedHeader, payload, signature] } = parts(realm)
  const flattened = { payload, protected: protectedHeader, signature }
  const documents = {
    flattened,
    general: { payload, signatures: [{ protected: protectedHeader, signature }] },
    'two signatures, one good': { payload, signatures: [{ protected: encode({ alg: 'none' }), signature: '' }, { protected: protectedHeader, signature }] },
    'the header unprotected': { payload, header, signature },
    'the payload as it is': { ...flattened, payload: claims },
    'an array': [flattened]
  }
  for (const [name, document] of Object.entries(documents)) {
    const text = JSON.stringify(document)
    await check(t, app, [[name, text], [`${name}, in base64url`, encode(text)], [`${name}, as a header`, `${encode(text)}.${payload}.${signature}`], [`${name}, as a payload`, `${protectedHeader}.${encode(text)}.${signature}`]])
    await check(t, app, [[`${name}, as a signed payload`, compact(header, text, by('RS256'))]])
  }
})

t.test('an encrypted token is refused, though a good one is inside', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256'] })
  const { claims } = parts(realm)
  const inner = new TextEncoder().encode(realm.token())
  const secret = new Uint8Array(32)
  const rsa = createPublicKey(realmsKey('RS256'))
  const ec = createPublicKey(realmsKey('ES256'))
  await check(t, app, [
    ['RSA-OAEP', await new CompactEncrypt(inner).setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', cty: 'JWT' }).encrypt(rsa)],
    ['ECDH-ES', await new CompactEncrypt(inner).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' }).encrypt(ec)],
    ['dir, with a secret of zeros', await new CompactEncrypt(inner).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' }).encrypt(secret)],
    // Whoever has the public key can encrypt: a JWE alone proves nothing of who wrote it.
    ['claims without a signature', await new EncryptJWT(claims).setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }).encrypt(rsa)],
    ['five parts, the first three a good token', `${realm.token()}.x.x`]
  ])
})

t.test('a token in pieces is none, wherever it was cut', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  const { raw: [header, payload, signature] } = parts(realm)
  const cases: Case[] = []
  for (let at = 1; at < token.length; at += 29) cases.push([`${at} characters`, token.slice(0, at)], [`from ${at}`, token.slice(at)])
  cases.push(
    ['one character less', token.slice(0, -1)], ['two less', token.slice(0, -2)], ['four less', token.slice(0, -4)],
    ['detached (RFC 7515 appendix F)', `${header}..${signature}`], ['no header', `.${payload}.${signature}`], ['no signature', `${header}.${payload}.`],
    ['no third part', `${header}.${payload}`],
    ['dots', '..'], ['a dot', '.'], ['four dots', '....'], ['a dot more', `${token}.`], ['a dot before', `.${token}`], ['two dots between', token.replace('.', '..')],
    ['twice', token + token], ['twice, a dot between', `${token}.${token}`], ['twice, a comma between', `${token},${token}`], ['in quotes', `"${token}"`],
    ['in angle brackets', `<${token}>`],
    ['parts swapped', `${payload}.${header}.${signature}`], ['the header as payload', `${header}.${header}.${signature}`],
    ['the signature as payload', `${header}.${signature}.${signature}`],
    ['spliced with another', [header, parts(realm, { username: 'bob' }).raw[1], signature].join('.')], ['control', token, '200']
  )
  await check(t, app, cases)
})

t.test('base64url that is not canonical is refused, though the realm signed it so', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const sign = by('RS256')
  // Lengths with one and with two characters at the end whose last bits say nothing.
  const heads = ['', ' ', '  '].map((space) => encode(JSON.stringify(header) + space))
  const bodies = ['', ' ', '  '].map((space) => encode(JSON.stringify(claims) + space))
  const whole = (text: string) => text.length % 4 === 0
  const head = heads.find(whole)!
  const body = bodies.find(whole)!
  const bent = (text: string) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1)
  const cases: Case[] = [['control', sealed(`${head}.${body}`, sign), '200']]
  for (const [name, change] of Object.entries({
    padding: (text: string) => text + '=',
    'more padding': (text: string) => text + '====',
    'a space': (text: string) => text.slice(0, 8) + ' ' + text.slice(8),
    'spaces at the end': (text: string) => text + '   ',
    'a line break': (text: string) => text.slice(0, 64) + '\n' + text.slice(64),
    'a null': (text: string) => text + '\0',
    'a foreign character': (text: string) => text + '!',
    'foreign characters in front': (text: string) => '####' + text,
    'a percent sign': (text: string) => text.slice(0, 4) + '%' + text.slice(4),
    'the other alphabet': (text: string) => text.slice(0, -4) + '++//',
    'one character too many': (text: string) => text + 'A',
    'a zero byte behind it': (text: string) => text + 'AA',
    'in percents': (text: string) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`,
    'full width letters': (text: string) => String.fromCharCode(text.charCodeAt(0) + 0xfee0) + text.slice(1),
    'a byte order mark': (text: string) => '\ufeff' + text,
    'twice encoded': (text: string) => encode(text)
  })) {
    cases.push([`${name}, in the header`, sealed(`${change(head)}.${body}`, sign)], [`${name}, in the payload`, sealed(`${head}.${change(body)}`, sign)])
    const token = sealed(`${head}.${body}`, sign)
    const at = token.lastIndexOf('.') + 1
    // Some of these are canonical, and wrong by their length alone: the key tells.
    const changed = token.slice(0, at) + change(token.slice(at))
    if (name !== 'spaces at the end') cases.push([`${name}, in the signature`, changed, refusal(changed)])
  }
  for (const stray of heads.filter((text) => !whole(text))) cases.push(['stray bits in the header', sealed(`${bent(stray)}.${body}`, sign)], ['control', sealed(`${stray}.${body}`, sign), '200'])
  for (const stray of bodies.filter((text) => !whole(text))) cases.push(['stray bits in the payload', sealed(`${head}.${bent(stray)}`, sign)], ['control', sealed(`${head}.${stray}`, sign), '200'])
  cases.push(['control: spaces at the end of the header line', `${sealed(`${head}.${body}`, sign)}   `, '200'])
  await checkBothWays(t, app, realm, cases)
})

t.test('JSON that two readers could read in two ways, or that is none, is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const head = JSON.stringify(header)
  const body = JSON.stringify(claims)
  const signed = (payload: string | Buffer, top: string | Buffer = head) => compact(top, payload, by('RS256'))
  const utf16 = Buffer.from(body, 'utf16le')
  await checkBothWays(t, app, realm, [
    ['exp twice', signed(body.replace('{', '{"exp":9999999999,'))],
    ['preferred_username twice, the last one good', signed(body.replace('{', '{"preferred_username":"admin",'))],
    ['preferred_username twice, the first one good', signed(body.replace(/}$/, ',"preferred_username":"admin"}'))],
    ['twice, an escape in one', signed(body.replace('{', '{"i\\u0073s":"x",'))],
    ['twice, an escape in capitals', signed(body.replace('{', '{"\\u006A\\u0074\\u0069":"x",'))],
    ['twice, deep in the roles', signed(body.replace(/}$/, ',"x":{"api":{"roles":[]},"api":{"roles":["admin"]}}}'))],
    ['__proto__ twice', signed(body.replace('{', '{"__proto__":1,"__proto__":2,'))],
    ['an empty name twice', signed(body.replace('{', '{"":1,"":2,'))],
    ['the header\'s typ twice', signed(body, head.replace('{', '{"typ":"x",'))],
    ['a byte order mark', signed('\ufeff' + body)],
    ['a byte order mark before the header', signed(body, '\ufeff' + head)],
    ['a comment', signed(body.replace('{', '{/* */'))], ['a comma at the end', signed(body.replace(/}$/, ',}'))], ['single quotes', signed(body.replaceAll('"', "'"))],
    ['no quotes', signed(body.replace('"exp"', 'exp'))], ['NaN', signed(body.replace(/"exp":\d+/, '"exp":NaN'))],
    ['Infinity', signed(body.replace(/"exp":\d+/, '"exp":Infinity'))],
    ['hexadecimal', signed(body.replace(/"exp":\d+/, '"exp":0x7fffffff'))], ['a leading zero', signed(body.replace('"exp":', '"exp":0'))],
    ['a plus', signed(body.replace('"exp":', '"exp":+'))],
    ['a null behind', signed(body + '\0')], ['two objects', signed(body + body)], ['a line behind', signed(body + '\n{}')], ['an array', signed(`[${body}]`)],
    ['a string', signed(JSON.stringify(body))],
    ['true', signed('true')], ['nothing', signed('')], ['white space', signed('   ')], ['half of it', signed(body.slice(0, -20))],
    ['a raw line break in a string', signed(body.replace('Alice', 'Al\nice'))],
    ['bytes that are no UTF-8', signed(Buffer.concat([Buffer.from(body.slice(0, -1) + ',"x":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]))],
    ['an overlong encoding', signed(Buffer.concat([Buffer.from(body.slice(0, -1) + ',"x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]))],
    ['a surrogate in UTF-8', signed(Buffer.concat([Buffer.from(body.slice(0, -1) + ',"x":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]))],
    ['UTF-16', signed(utf16)], ['UTF-16 with its mark', signed(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]))],
    ['nested beyond reason', signed(body.replace('{', `{"x":${'{"x":'.repeat(200)}1${'}'.repeat(200)},`))],
    ['control: white space around and between', signed(` \r\n\t${JSON.stringify(claims, null, '\t')}\n`, `\n${JSON.stringify(header, null, 2)} `), '200'],
    ['control: an escape', signed(body.replace('"Alice"', '"\\u0041lice"')), '200'],
    ['control: half a surrogate pair, escaped, in a claim nobody asks for', signed(body.replace('{', '{"x":"\\ud800",')), '200']
  ])
})

t.test('parts of no length, and of any, are answered at once', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const { header, claims, raw } = parts(realm)
  // Steps by the square of this length would exceed the timeout of the test.
  const long = 'A'.repeat(2_000_000)
  await check(t, app, [
    ['a long header', `${long}.${raw[1]}.${raw[2]}`], ['a long payload', `${raw[0]}.${long}.${raw[2]}`], ['a long signature', `${raw[0]}.${raw[1]}.${long}`],
    ['long all over', `${long}.${long}.${long}`], ['long and without dots', long], ['dots', '.'.repeat(2_000_000)],
    ['brackets', compact('['.repeat(20_000), claims, by('RS256'))],
    ['quotes', compact(header, '{"' + '\\"'.repeat(8000), by('RS256'))],
    ['many members', compact(header, `{${Array.from({ length: 3000 }, (_, at) => `"${at}":0`).join()}}`, by('RS256'))],
    ['many members of one name', compact(header, `{${'"x":0,'.repeat(3000)}"x":0}`, by('RS256'))],
    ['a number of 20,000 digits', compact(header, JSON.stringify(claims).replace(/"exp":\d+/, `"exp":${'9'.repeat(20_000)}`), by('RS256'))]
  ])
  t.notOk(log.text.includes('AAAAAAAA'), 'and none of it in the log')
  t.equal((await app.inject({ url: '/me', headers: bearer(realm.token()) })).statusCode, 200)
})
