// The options dpop and mtls: their defaults, and one sentence about each mistake.
import t from 'tap'
import type { KeycloakOptions } from '../../types/options.js'
import { refusalOf } from '../support/app.js'
import { settingsFor } from '../support/settings.js'

const issuer = 'https://sso.example.com/realms/acme'
const secret = 's'.repeat(32)
const plugin = (options: Partial<KeycloakOptions>) => settingsFor({ issuer, ...options }).plugin

t.test('true is all defaults', async (t) => {
  t.match(plugin({ dpop: true }).dpop, { required: false, algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'], maxAge: 30, leeway: 5, url: undefined, nonce: false, replay: { max: 100_000, store: undefined } })
  t.same({ ...plugin({ dpop: {} }).dpop }, { ...plugin({ dpop: true }).dpop })
  t.match(plugin({ mtls: true }).mtls, { required: false, header: undefined, proxies: undefined, certificate: undefined })
  t.match(plugin({ dpop: { algorithms: 'ES256', nonce: { secret: [secret, secret] } } }).dpop, { algorithms: ['ES256'], nonce: { secret: [secret, secret], maxAge: 300 } })
  t.match(plugin({}), { dpop: undefined, mtls: undefined })
})

const WRONG: ReadonlyArray<readonly [options: object, sentence: RegExp]> = [
  [{ dpop: false }, /option "dpop" must be true, or an object with required,/],
  [{ dpop: 'yes' }, /option "dpop" must be true, or an object with/],
  [{ dpop: { require: true } }, /option "dpop.require" is unknown; write "dpop.required"/],
  [{ dpop: { algorithms: ['HS256'] } }, /option "dpop.algorithms.*must be one or more of ES256/],
  [{ dpop: { algorithms: [] } }, /option "dpop.algorithms" must be one or more of ES256/],
  [{ dpop: { maxAge: 30_000 } }, /option "dpop.maxAge" must be a whole number of seconds/],
  [{ dpop: { leeway: -1 } }, /option "dpop.leeway" must be a number of seconds/],
  [{ dpop: { url: 'api.example.com' } }, /option "dpop.url" must be the URL of this API as clients see it.*, not a text that does not begin with http:\/\/ or https:\/\/$/],
  [{ dpop: { url: 'https://api.example.com/?x' } }, /option "dpop.url" must be the URL.*, not one with a query or a fragment$/],
  [{ dpop: { url: 'https://api.example.com/ x' } }, /, not one with white space or a backslash in it$/],
  [{ dpop: { url: 'https://[x]' } }, /, not one that no URL parser takes$/],
  [{ dpop: { url: 'https://u:p@api.example.com' } }, /option "dpop.url" must be the URL.*, not one with a user name or a password$/],
  ...['/a/../b', '/.', '/a/%2E%2e'].map((path) => [{ dpop: { url: `https://api.example.com${path}` } }, /option "dpop.url" must be the URL .* without query, fragment and dot segments.*, not one with a dot segment$/] as const),
  [{ dpop: { url: 5 } }, /option "dpop.url" must be the URL/],
  [{ dpop: { nonce: true } }, /option "dpop.nonce" must be false, or an object with secret and maxAge/],
  [{ dpop: { nonce: { secret: 'short' } } }, /option "dpop.nonce.secret" must be a text of 32 characters or more, such as one by `openssl rand -base64 32`, not a shorter one$/],
  [{ dpop: { nonce: { secret: [secret, 'short'] } } }, /option "dpop.nonce.secret.1" must be a text of 32 characters or more, .*, not a shorter one$/],
  [{ dpop: { nonce: { secret: undefined } } }, /option "dpop.nonce.secret" must be a text of 32 characters or more, .*, not undefined: is an environment variable unset\?$/],
  [{ dpop: { nonce: {} } }, /option "dpop.nonce.secret" must be a text of 32 characters or more, .*, not undefined$/],
  [{ dpop: { nonce: { secret, maxage: 5 } } }, /option "dpop.nonce.maxage" is unknown; write "dpop.nonce.maxAge"/],
  [{ dpop: { replay: { store: {} } } }, /option "dpop.replay.store" must be a replay store, such as redisReplayStore/],
  [{ dpop: { replay: { store: null } } }, /option "dpop.replay.store" must be a replay store/],
  [{ dpop: { replay: { max: 0 } } }, /option "dpop.replay.max" must be a whole number/],
  [{ mtls: false }, /option "mtls" must be true, or an object with header/],
  [{ mtls: { header: 'x-client-cert', proxies: ['unix'] } }, /option "mtls.header" must be one of client-cert.*, not another string: write "client-cert"$/],
  [{ mtls: { header: 'client-cert' } }, /option "mtls.proxies" must name the proxies whose header counts/],
  [{ mtls: { proxies: ['unix'] } }, /option "mtls.header" must name the header of the proxies/],
  [{ mtls: { header: 'client-cert', proxies: ['unix'], certificate: () => undefined } }, /option "mtls.certificate" goes without mtls.header/],
  ...['10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/08', '::1/129', '10.0.0', 'proxy', '', '10.0.0.0/8/8'].map((proxy) => [{ mtls: { header: 'client-cert', proxies: [proxy] } }, /option "mtls.proxies.*" must be the address or the network of a proxy/] as const),
  [{ mtls: { header: 'client-cert', proxies: [] } }, /option "mtls.proxies" must be an array of the addresses/]
]

for (const [options, sentence] of WRONG) t.test(JSON.stringify(options), async (t) => t.match(await refusalOf({ issuer, ...options }), sentence))

t.test('a polluted Object.prototype lends no member', async (t) => {
  t.teardown(() => { for (const name of ['store', 'secret', 'header', 'required', 'nonce']) delete (Object.prototype as Record<string, unknown>)[name] })
  Object.assign(Object.prototype, { store: { add: () => true }, secret, header: 'client-cert', required: true, nonce: { secret } })
  const { dpop, mtls } = plugin({ dpop: { replay: {} }, mtls: {} })
  t.equal(dpop!.replay.store, undefined)
  t.equal(mtls!.header, undefined)
  t.equal(dpop!.required, false)
})
