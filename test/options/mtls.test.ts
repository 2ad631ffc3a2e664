// The option mtls: what it takes, and the sentence about each value that would trust somebody by mistake.
import t from 'tap'
import { parseOptions } from '../../lib/options/options.js'
import { refusalOf } from '../support/app.js'
import { polluted } from '../support/pollution.js'

const good = { issuer: 'https://sso.example.com/realms/acme', clientId: 'api' }
const MTLS = 'option "mtls" must be true, or an object with header, proxies, required and certificate, not '
const PROXIES = 'option "mtls.proxies" must be an array of the addresses or networks of proxies, such as ["10.0.0.0/8"], not '
const PROXY = 'must be the address or the network of a proxy, such as "10.0.0.1" or "10.0.0.0/8", or "unix" for a Unix socket, not '
const EVERYBODY = 'a network of all addresses: everybody could write the header then'
const NO_PROXIES = 'option "mtls.proxies" must name the proxies whose header counts when mtls.header is given, since anybody else can write that header too'
const NO_HEADER = 'option "mtls.header" must name the header of the proxies when mtls.proxies is given'

const proxies = (...values: unknown[]): object => ({ header: 'client-cert', proxies: values })

const CASES: ReadonlyArray<readonly [mtls: unknown, sentence: string]> = [
  [false, `${MTLS}false`],
  ['yes', `${MTLS}a string`],
  [{ header: 'client-cert' }, NO_PROXIES],
  [{ proxies: ['unix'] }, NO_HEADER],
  [{ header: 'x', proxies: ['unix'] }, 'option "mtls.header" must be one of client-cert, x-forwarded-client-cert, ssl-client-cert, not another string'],
  [{ header: 'client-cert', proxies: '10.0.0.0/8' }, `${PROXIES}a string`],
  [proxies(), `${PROXIES}an empty array`],
  [proxies(5), `option "mtls.proxies.0" ${PROXY}5`],
  [proxies('unix', ''), `option "mtls.proxies.1" ${PROXY}an empty string`],
  ...['10.0.0/8', '::1/64/1', 'localhost', '*', 'unix/1', ' 10.0.0.1', '/8'].map((value) => [proxies(value), `option "mtls.proxies.0" ${PROXY}another text: write the address in digits, not the name of a host`] as const),
  ...['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/x'].map((value) => [proxies(value), `option "mtls.proxies.0" ${PROXY}a network whose prefix length is no whole number from 1 to 32`] as const),
  [proxies('::/129'), `option "mtls.proxies.0" ${PROXY}a network whose prefix length is no whole number from 1 to 128`],
  ...['0.0.0.0/0', '10.0.0.0/0', '::/0', 'fd00::/0', '::ffff:0:0/96', '::ffff:10.0.0.0/96', '::/1', '::/80'].map((value) => [proxies('unix', value), `option "mtls.proxies.1" ${PROXY}${EVERYBODY}`] as const),
  [{ ...proxies('unix'), certificate: () => undefined }, 'option "mtls.certificate" goes without mtls.header; keep the one you mean'],
  [{ certificate: 'x' }, 'option "mtls.certificate" must be a function (request) => the certificate in DER or PEM, or undefined, not a string'],
  [{ cert: 1 }, 'option "mtls.cert" is unknown; write "mtls.certificate"']
]

t.test('a wrong option stops the start, of one issuer and of several', async (t) => {
  for (const [mtls, sentence] of CASES) {
    t.equal(await refusalOf({ ...good, mtls }), `fastify-keycloak-bearer: ${sentence}`)
    t.equal(await refusalOf({ issuers: [{ issuer: good.issuer, clientId: 'api' }], mtls }), `fastify-keycloak-bearer: ${sentence}`)
    t.equal(await refusalOf({ issuers: () => undefined, clientId: 'api', mtls }), `fastify-keycloak-bearer: ${sentence}`)
  }
})

t.test('true is all defaults, and each address has its form', async (t) => {
  t.strictSame({ ...parseOptions({ ...good, mtls: true }).plugin.mtls }, { required: false })
  t.equal(parseOptions(good).plugin.mtls, undefined)
  for (const value of ['unix', '127.0.0.1', '10.0.0.0/8', '128.0.0.0/1', '::1', 'fd00::/8', '8000::/1', '::ffff:10.0.0.0/104', '::/128']) {
    t.same(parseOptions({ ...good, mtls: proxies(value) }).plugin.mtls, { ...proxies(value), required: false })
  }
})

t.test('a member on Object.prototype is not lent to the option', async (t) => {
  for (const [name, value] of Object.entries({ header: 'client-cert', proxies: ['unix'], certificate: () => 'x', required: true })) {
    await polluted(name, value, async () => {
      for (const mtls of [true, {}]) t.strictSame(Object.entries(parseOptions({ ...good, mtls }).plugin.mtls!), [['required', false]])
      t.equal(parseOptions({ ...good, mtls: true }).plugin.mtls!.header, undefined)
      t.equal(parseOptions({ ...good, mtls: true }).plugin.mtls!.certificate, undefined)
      t.throws(() => parseOptions({ ...good, mtls: { header: 'client-cert' } }), { message: /option "mtls.proxies" must name the proxies/ })
    })
  }
  await polluted('url', 'https://evil.example', () => t.equal(parseOptions({ ...good, dpop: true }).plugin.dpop!.url, undefined))
  await polluted('store', { add: () => true }, () => t.equal(parseOptions({ ...good, dpop: {} }).plugin.dpop!.replay.store, undefined))
})
