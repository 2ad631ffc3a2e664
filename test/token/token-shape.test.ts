import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'

function encode (value: string | Buffer | object): string {
  return Buffer.from(typeof value === 'object' && !Buffer.isBuffer(value) ? JSON.stringify(value) : value as string).toString('base64url')
}

t.test('what is no JWS of three canonical parts is not valid, and costs Keycloak nothing', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const [header, payload, signature] = realm.token().split('.') as [string, string, string]
  const shapes = {
    'one part': 'x',
    'two parts': `${header}.${payload}`,
    'four parts': `${header}.${payload}.${signature}.x`,
    'five parts, a JWE': `${header}.${payload}.${signature}.x.y`,
    'an empty header': `.${payload}.${signature}`,
    'an empty payload': `${header}..${signature}`,
    'an empty signature': `${header}.${payload}.`,
    'dots alone': '..',
    padding: `${header}=.${payload}.${signature}`,
    'padding on the signature': `${header}.${payload}.${signature}==`,
    'the other alphabet': `${header}.${payload}.${'+/'.repeat(171)}`,
    'foreign characters': `${header}.${payload}!.${signature}`,
    'stray bits': `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : String.fromCharCode(signature.charCodeAt(341) + 1)}`,
    'a length that base64 cannot have': `${header}.${payload}.${signature}AAA`,
    'not UTF-8': `${encode(Buffer.from([0x7b, 0xff, 0x7d]))}.${payload}.${signature}`,
    'a byte order mark': `${encode(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"alg":"RS256"}')]))}.${payload}.${signature}`,
    'no JSON': `${encode('{alg:RS256}')}.${payload}.${signature}`,
    'an array for a header': `${encode('[]')}.${payload}.${signature}`,
    'null for a header': `${encode('null')}.${payload}.${signature}`,
    'null for a payload': `${header}.${encode('null')}.${signature}`,
    'a string for a payload': `${header}.${encode('"x"')}.${signature}`,
    'a very long one': `${header}.${'A'.repeat(40_000)}.${signature}`
  }
  for (const [name, token] of Object.entries(shapes)) t.equal(await ask(app, '/open', token), NOT_VALID, name)
  t.equal(realm.requests.certs, 0)
})

t.test('headers that are not those of an access token are refused before any key is looked for', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const headers: Record<string, Record<string, unknown>> = {
    'typ of an ID token of others': { typ: 'id+jwt' },
    'typ of a logout token': { typ: 'logout+jwt' },
    'typ no string': { typ: ['JWT'] },
    'typ null': { typ: null },
    'crit unknown': { crit: ['exp'] },
    'crit empty': { crit: [] },
    'crit null': { crit: null },
    'crit with b64': { crit: ['b64'], b64: false },
    'alg none': { alg: 'none' },
    'alg None': { alg: 'None' },
    'alg nOnE': { alg: 'nOnE' },
    'alg HS256': { alg: 'HS256' },
    'alg ES256, which is not configured': { alg: 'ES256' },
    'alg rs256 in lower case': { alg: 'rs256' },
    'alg with a space': { alg: 'RS256 ' },
    'alg an array': { alg: ['RS256'] },
    'alg absent': { alg: undefined },
    'alg of a prototype': { alg: 'constructor' },
    'kid a number': { kid: 5 },
    'kid null': { kid: null },
    'kid an object': { kid: { toString: 'x' } }
  }
  const [, payload, signature] = realm.token().split('.')
  for (const [name, header] of Object.entries(headers)) {
    const token = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'x', ...header })}.${payload}.${signature}`
    t.equal(await ask(app, '/open', token), NOT_VALID, name)
  }
  t.equal(realm.requests.certs, 0)
})

t.test('keys that a token brings along, or points at, are never used', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const header of [{ jwk: { kty: 'RSA' } }, { jku: `${realm.issuer}/x` }, { x5u: 'http://127.0.0.1:1/' }, { x5c: ['x'] }]) {
    t.equal(await ask(app, '/open', realm.token({ forged: true, header })), NOT_VALID, `forged with ${Object.keys(header)}`)
    t.equal(await ask(app, '/open', realm.token({ header })), '200', `good, ${Object.keys(header)} ignored`)
  }
  t.equal(realm.requests.other, 0)
})

t.test('the typ of the header may be JWT or at+jwt in any case, or absent', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined]) {
    t.equal(await ask(app, '/open', realm.token({ header: { typ } })), '200', String(typ))
  }
})

t.test('a member named twice makes a token not valid, however it is written', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const claims = JSON.parse(Buffer.from(realm.token().split('.')[1]!, 'base64url').toString())
  const text = JSON.stringify(claims)
  const sign = (payload: string) => realm.sign(Buffer.from(payload))
  t.equal(await ask(app, '/open', sign(text)), '200')
  t.equal(await ask(app, '/open', sign(JSON.stringify(claims, null, 2))), '200', 'with white space')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{ "x":"a\\"b\\\\","y":[{"n":1},{"n":2}], "z" : "exp",'))), '200', 'names repeated in other objects, and as values')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{"exp":1,'))), NOT_VALID, 'twice')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{"\\u0065xp":1,'))), NOT_VALID, 'twice, once escaped')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{"exp"\t\r\n :1,'))), NOT_VALID, 'twice, with white space before the colon')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{"deep":[{"a":1,"a":2}],'))), NOT_VALID, 'twice, deep inside')
  t.equal(await ask(app, '/open', sign(text.replace('{', '{"__proto__":{"x":1},'))), '200', '__proto__ is a claim like any other')
})

t.test('a payload nested without end is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const text = Buffer.from(realm.token().split('.')[1]!, 'base64url').toString()
  const nested = (depth: number) => realm.sign(Buffer.from(text.replace('{', `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},`)))
  t.equal(await ask(app, '/open', nested(20)), '200')
  t.equal(await ask(app, '/open', nested(40)), NOT_VALID)
  t.equal(await ask(app, '/open', nested(5000)), NOT_VALID, 'nobody walks to its end')
})
