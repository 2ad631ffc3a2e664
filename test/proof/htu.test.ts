// The URL of a proof and that of its request are the same if RFC 3986 says so, and not by more.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { normalizedHtu, normalizedRequestUrl } from '../../lib/proof/htu.js'

const SAME: ReadonlyArray<readonly [uri: string, normalized: string]> = [
  ['https://api.example.com/a', 'https://api.example.com/a'],
  ['HTTPS://API.Example.COM:443/a?x=1#y', 'https://api.example.com/a'],
  ['https://api.example.com#y', 'https://api.example.com/'],
  ['http://a:80', 'http://a/'],
  ['http://a:/x', 'http://a/x'],
  ['http://a:0080/x', 'http://a/x'],
  ['https://a:80/x', 'https://a:80/x'],
  ['http://[::FFFF]:8080/x', 'http://[::ffff]:8080/x'],
  ['http://%41pi/x', 'http://api/x'],
  ['http://a%2fb/x', 'http://a%2Fb/x'],
  ['http://a/%7euser/%2f', 'http://a/~user/%2F'],
  ['http://a/x/', 'http://a/x/'],
  ['http://a//x', 'http://a//x'],
  ['http://a/b/./c/../d', 'http://a/b/d'],
  ['http://a/b/%2e%2e/c', 'http://a/c'],
  ['http://a/..', 'http://a/'],
  ['http://a/../b/.', 'http://a/b/'],
  ['http://a/b/c/..', 'http://a/b/'],
  ['http://a/b|c', 'http://a/b%7Cc'],
  ['http://a/.x/..y', 'http://a/.x/..y']
]

for (const [uri, normalized] of SAME) t.test(`${uri} is ${normalized}`, async (t) => t.equal(normalizedHtu(uri), normalized))

for (const uri of ['', '/x', 'a/x', 'ftp://a/x', 'http:/a', 'http:///x', 'http://', 'http://u@a/x', 'http://u:p@a/x', 'http://a b/x', 'http://a/ä', 'http://a/\u0000', 'http://a/%zz', 'http://a/%', 'http://a:port/', 'http://a:123456/', 'http://[::1/x', 'http://ä/x', '__proto__://a/x', `http://a/${'x'.repeat(8200)}`]) {
  t.test(`${uri.slice(0, 30)} is refused`, async (t) => t.equal(normalizedHtu(uri), undefined))
}

t.test('where WHATWG URL makes two texts one, so does the normalization, apart from percent-encoding', async () => {
  // No name that begins with a dot: Node 20 leaves the last segment of //.0/. as it is.
  const segment = fc.oneof(fc.constantFrom('.', '..'), fc.stringMatching(/^[a-z0-9~_-]{0,4}$/))
  fc.assert(fc.property(fc.array(segment, { maxLength: 6 }), fc.constantFrom('http', 'https', 'HTTP'), fc.constantFrom('', ':80', ':443', ':8080'), (path, scheme, port) => {
    const uri = `${scheme}://Host.example${port}/${path.join('/')}`
    const { origin, pathname } = new URL(uri)
    return normalizedHtu(uri) === origin + pathname
  }), { numRuns: 500 })
})

t.test('it is done when it is done once', async () => {
  fc.assert(fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (uri) => {
    const once = normalizedHtu(uri)
    return once === undefined || normalizedHtu(once) === once
  }), { numRuns: 500 })
})

/** RFC 3986 section 5.2.4, step by step as it stands there. */
function removeDotSegments (path: string): string {
  let [input, output] = [path, '']
  while (input !== '') {
    if (/^\.\.?\//.test(input)) input = input.replace(/^\.\.?\//, '')
    else if (/^\/\.(\/|$)/.test(input)) input = input.replace(/^\/\.(\/|$)/, '/')
    else if (/^\/\.\.(\/|$)/.test(input)) [input, output] = [input.replace(/^\/\.\.(\/|$)/, '/'), output.replace(/\/?[^/]*$/, '')]
    else if (input === '.' || input === '..') input = ''
    else {
      const [segment] = /^\/?[^/]*/.exec(input)!
      ;[input, output] = [input.slice(segment.length), output + segment]
    }
  }
  return output
}

/** RFC 3986 sections 6.2.2.1 and 6.2.2.2, byte by byte. */
function normalizeEncoding (text: string): string {
  let normal = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      normal += text[at]
      continue
    }
    const byte = parseInt(text.slice(at + 1, at + 3), 16)
    const character = String.fromCharCode(byte)
    normal += /^[A-Za-z0-9\-._~]$/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    at += 2
  }
  return normal
}

const hex = fc.nat(255).chain((byte) => fc.mixedCase(fc.constant(byte.toString(16).padStart(2, '0')))).map((text) => `%${text}`)
const character = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...'aZ09-._~!$&\'()*+,;=:@') }, { weight: 2, arbitrary: hex }, { weight: 1, arbitrary: fc.constantFrom('%2e', '%2E', '%2f', '%7e', '%41', '%25') })
const anySegment = fc.oneof({ weight: 3, arbitrary: fc.array(character, { maxLength: 4 }).map((all) => all.join('')) }, fc.constantFrom('.', '..', '', '...', '%2e', '%2E%2e', '.%2e'))
const uri = fc.record({
  scheme: fc.mixedCase(fc.constantFrom('http', 'https')),
  host: fc.oneof(fc.mixedCase(fc.constantFrom('api.example.com', 'localhost', '[2001:db8::a]')), fc.constant('127.0.0.1')),
  port: fc.constantFrom('', ':', ':80', ':443', ':0443', ':8080', ':00'),
  path: fc.oneof({ weight: 6, arbitrary: fc.array(anySegment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`) }, fc.constant('')),
  rest: fc.constantFrom('', '?', '?a=/../b', '#', '#/..', '?x#y', '#x?y')
})

t.test('every URI is normalized as RFC 3986 sections 6.2.2 and 6.2.3 say', async (t) => {
  let dots = 0
  fc.assert(fc.property(uri, ({ scheme, host, port, path, rest }) => {
    const plain = scheme.toLowerCase()
    const number = port.slice(1) === '' ? plain === 'http' ? 80 : 443 : Number(port.slice(1))
    const origin = `${plain}://${host.toLowerCase()}${number === { http: 80, https: 443 }[plain] ? '' : `:${number}`}`
    const encoded = normalizeEncoding(path) || '/'
    const found = normalizedHtu(`${scheme}://${host}${port}${path}${rest}`)
    assert.equal(found, origin + removeDotSegments(encoded))
    const hasDots = encoded.split('/').some((segment) => segment === '.' || segment === '..')
    if (hasDots) dots++
    assert.equal(normalizedRequestUrl(`${scheme}://${host}${port}${path}${rest}`), hasDots ? undefined : found)
  }), { numRuns: 2000 })
  t.ok(dots > 100, `${dots} with dot segments`)
})

t.test('two URIs that are one to WHATWG URL are one, and the normalized one is the same to it', async () => {
  fc.assert(fc.property(uri, ({ scheme, host, port, path, rest }) => {
    const text = `${scheme}://${host}${port}${path}${rest}`
    const { origin, pathname } = new URL(text)
    const found = normalizedHtu(text)!
    assert.equal(normalizedHtu(origin + pathname), found)
    assert.equal(new URL(found).origin + new URL(found).pathname, found)
    assert.equal(new URL(found).origin, origin)
  }), { numRuns: 2000 })
})

t.test('a URI that differs by a character that counts is another one', async () => {
  const letter = fc.constantFrom(...'abAB01')
  fc.assert(fc.property(fc.array(letter, { minLength: 1, maxLength: 6 }), fc.nat(5), letter, (letters, at, other) => {
    const changed = letters.map((letter, index) => index === at % letters.length ? other : letter)
    const [one, two] = [letters, changed].map((each) => normalizedHtu(`http://a/${each.join('')}`))
    return (one === two) === (letters.join('') === changed.join(''))
  }), { numRuns: 300 })
})
