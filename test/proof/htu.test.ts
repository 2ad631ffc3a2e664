// The URL of a proof and that of its request are the same if RFC 3986 says so, and not by more.
import fc from 'fast-check'
import t from 'tap'
import { normalizedHtu } from '../../lib/proof/htu.js'

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
