// The certificate that a proxy hands on: one, from a proxy that the operator named, in the form that its header has.
import { createHash, X509Certificate } from 'node:crypto'
import Fastify, { type FastifyRequest } from 'fastify'
import { rm } from 'node:fs/promises'
import { request as send } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mtlsGroup } from '../../lib/options/mtls.js'
import { filledIn } from '../../lib/options/schemas.js'
import { createCertificateThumbprint } from '../../lib/proof/client-certificate.js'
import { thumbprintOf } from '../../lib/proof/thumbprint.js'
import type { MtlsOptions } from '../../types/mtls.js'
import { CLIENTS } from '../support/client-certificates.js'

const { cert } = CLIENTS.a
const der = new X509Certificate(cert).raw
const x5t = createHash('sha256').update(der).digest('base64url')
const hash = createHash('sha256').update(der).digest('hex')
const other = createHash('sha256').update('x').digest('hex')
const encoded = encodeURIComponent(cert)
const base64 = der.toString('base64')

type Header = NonNullable<MtlsOptions['header']>

/** The thumbprint that a request has; an empty one for a header that cannot be read, and null without one that counts. */
async function thumbprint (t: Test, options: MtlsOptions, headers: Record<string, string | string[]>): Promise<{ found: string | null, warnings: string[] }> {
  const warnings: string[] = []
  const find = createCertificateThumbprint(filledIn(mtlsGroup, options), { warn: (line) => { warnings.push(line) } })
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async (request) => ({ found: find(request) ?? null }))
  const ask = async (): Promise<string | null> => (await app.inject({ url: '/', headers: headers as Record<string, string> })).json().found
  await ask()
  return { found: await ask(), warnings }
}

const FORMS: ReadonlyArray<readonly [header: Header, value: string | string[], isGood: boolean]> = [
  ['client-cert', `:${base64}:`, true],
  ['client-cert', ` :${base64}: `, true],
  ['client-cert', base64, false],
  ['client-cert', `:${base64}`, false],
  ['client-cert', '::', false],
  ['client-cert', '', false],
  ['client-cert', `:${base64.slice(0, 40)}:`, false],
  ['client-cert', `:${base64.replace('M', '!')}:`, false],
  ['client-cert', [`:${base64}:`, `:${base64}:`], false],
  ['client-cert', `:${'A'.repeat(33_000)}:`, false],
  ['client-cert', `:${Buffer.alloc(17_000).toString('base64')}:`, false],
  ['ssl-client-cert', encoded, true],
  ['ssl-client-cert', encodeURIComponent(cert + cert), false],
  ['ssl-client-cert', '%zz', false],
  ['ssl-client-cert', '-', false],
  ['ssl-client-cert', '', false],
  ['x-forwarded-client-cert', `Hash=${hash}`, true],
  ['x-forwarded-client-cert', `By=spiffe://a;hash=${hash.toUpperCase()};Subject="CN=\\"a, b\\";O=x"`, true],
  ['x-forwarded-client-cert', `Cert="${encoded}"`, true],
  ['x-forwarded-client-cert', `Hash=${hash};Cert="${encoded}"`, true],
  ['x-forwarded-client-cert', `Hash=${other};Cert="${encoded}"`, false],
  ['x-forwarded-client-cert', `Hash=x;Cert="${encoded}"`, false],
  ['x-forwarded-client-cert', `Hash=${hash};Cert="x"`, false],
  ['x-forwarded-client-cert', `Hash=${hash},Hash=${hash}`, false],
  ['x-forwarded-client-cert', `Hash=${hash};Hash=${hash}`, false],
  ['x-forwarded-client-cert', `Cert="${encoded}";Cert="${encoded}"`, false],
  ['x-forwarded-client-cert', 'Subject="CN=a"', false],
  ['x-forwarded-client-cert', `Hash=${hash};`, false],
  ['x-forwarded-client-cert', `Hash="${hash}`, false],
  ['x-forwarded-client-cert', `Hash="${hash}"x`, false],
  ['x-forwarded-client-cert', `Hash="${hash}"By=x`, false],
  ['x-forwarded-client-cert', '', false]
]

for (const [header, value, isGood] of FORMS) {
  const shown = String(value).replaceAll(encoded, '<pem>').replaceAll(base64, '<der>').replaceAll(hash, '<hash>').slice(0, 60)
  t.test(`${header}: ${shown}: ${isGood ? 'the certificate' : 'none'}`, async (t) => {
    t.equal((await thumbprint(t, { header, proxies: ['127.0.0.1'] }, { [header]: value })).found, isGood ? x5t : '')
  })
}

t.test('clients take turns: each header has its own certificate, and one without stays one without', async (t) => {
  const find = createCertificateThumbprint(filledIn(mtlsGroup, { header: 'ssl-client-cert', proxies: ['127.0.0.1'] }), { warn: () => {} })
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async (request) => ({ found: find(request) ?? null }))
  const ask = async (value: string): Promise<string | null> => (await app.inject({ url: '/', headers: { 'ssl-client-cert': value } })).json().found
  const b = encodeURIComponent(CLIENTS.b.cert)
  for (let times = 0; times < 3; times++) {
    t.equal(await ask(encoded), x5t)
    t.equal(await ask(b), thumbprintOf(CLIENTS.b.cert))
    t.equal(await ask(encoded.slice(0, -5)), '')
    t.equal(await ask(encoded + b), '')
  }
})

t.test('a header from anybody else counts as absent, and warns once', async (t) => {
  const from = async (proxies: string[], headers: Record<string, string> = { 'client-cert': `:${base64}:` }) => thumbprint(t, { header: 'client-cert', proxies }, headers)
  for (const proxies of [['10.0.0.0/8'], ['127.0.0.2'], ['::1'], ['fd00::/8'], ['unix']]) {
    const { found, warnings } = await from(proxies, { 'client-cert': `:${base64}:`, 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' })
    t.equal(found, null, String(proxies))
    t.match(warnings, [/^mtls: a request has the header of a client certificate, but comes from 127\.0\.0\.1, which is not in mtls\.proxies; the header counts as absent/])
    t.equal(warnings.length, 1)
  }
  for (const proxies of [['10.0.0.0/8', '127.0.0.0/8'], ['127.0.0.1', 'unix']]) t.equal((await from(proxies)).found, x5t)
  t.same(await from(['10.0.0.0/8'], {}), { found: null, warnings: [] })
})

t.test('addresses: IPv6, IPv4 in IPv6, a Unix socket, and a connection that is closed', async (t) => {
  const warnings: string[] = []
  const find = (proxies: string[], remoteAddress: string | undefined, address: unknown = { port: 1 }) => createCertificateThumbprint(filledIn(mtlsGroup, { header: 'client-cert', proxies }), { warn: (line) => { warnings.push(line) } })({
    raw: { rawHeaders: ['Client-Cert', `:${base64}:`], socket: { remoteAddress } }, server: { server: { address: () => address } }
  } as unknown as FastifyRequest)
  t.equal(find(['127.0.0.1'], '::ffff:127.0.0.1'), x5t)
  t.equal(find(['fd00::/8'], 'fd00::1'), x5t)
  t.equal(find(['fd00::/8'], '::ffff:10.0.0.1'), undefined)
  t.equal(find(['unix'], undefined, '/run/api.sock'), x5t)
  t.equal(find(['unix'], undefined), undefined, 'a closed connection has no address either')
  t.equal(find(['127.0.0.1'], undefined, '/run/api.sock'), undefined)
  t.same(warnings.map((line) => /comes from (.*), which/.exec(line)?.[1]), ['::ffff:10.0.0.1', 'a connection that is closed', 'a Unix socket ("unix")'])
  const bare = createCertificateThumbprint(filledIn(mtlsGroup, { header: 'client-cert', proxies: ['unix'] }), { warn: () => {} })
  t.equal(bare({ raw: {} } as unknown as FastifyRequest), undefined, 'a request that is not Node\'s')
})

t.test('a proxy by a Unix socket', async (t) => {
  const find = createCertificateThumbprint(filledIn(mtlsGroup, { header: 'client-cert', proxies: ['unix'] }), { warn: () => {} })
  const app = Fastify()
  const path = join(t.testdir(), 'api.sock')
  t.teardown(async () => { await app.close(); await rm(path, { force: true }) })
  app.get('/', async (request) => ({ found: find(request) ?? null }))
  await app.listen({ path })
  const body = await new Promise<string>((resolve, reject) => {
    send({ socketPath: path, path: '/', headers: { 'client-cert': `:${base64}:` } }, (response) => {
      let text = ''
      response.on('data', (part) => { text += part }).on('end', () => resolve(text))
    }).on('error', reject).end()
  })
  t.same(JSON.parse(body), { found: x5t })
})

t.test('the application finds the certificate itself, or fails by its own fault', async (t) => {
  const found = async (certificate: unknown): Promise<unknown> => {
    const find = createCertificateThumbprint(filledIn(mtlsGroup, { certificate: () => certificate }), { warn: () => {} })
    try {
      return find({} as FastifyRequest)
    } catch (error) {
      return (error as Error).message
    }
  }
  for (const good of [cert, der, Buffer.from(cert)]) t.equal(await found(good), x5t)
  t.equal(await found(undefined), undefined)
  for (const bad of [null, 5, {}, Promise.resolve(cert)]) t.match(await found(bad), /^mtls.certificate must return a certificate in DER or PEM, or undefined, not /)
  for (const bad of ['', 'x', Buffer.from('x'), cert + cert]) t.equal(await found(bad), 'mtls.certificate returned what is no certificate in DER or PEM')
  t.equal(thumbprintOf('x'.repeat(20_000)), undefined)
})
