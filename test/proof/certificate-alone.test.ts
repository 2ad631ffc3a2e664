// One certificate and nothing beside it: OpenSSL reads the first of several and leaves the rest.
import { createHash, X509Certificate } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { mtlsGroup } from '../../lib/options/mtls.js'
import { filledIn } from '../../lib/options/schemas.js'
import { CertificateHeader, UNREADABLE } from '../../lib/proof/certificate-header.js'
import { createCertificateThumbprint } from '../../lib/proof/client-certificate.js'
import { thumbprintOf } from '../../lib/proof/thumbprint.js'
import { CLIENTS } from '../support/client-certificates.js'

const { a: { cert }, b: { cert: other } } = CLIENTS
const der = new X509Certificate(cert).raw
const x5t = createHash('sha256').update(der).digest('base64url')
const otherDer = new X509Certificate(other).raw

/** The example of RFC 9440, figure 2. */
const RFC_9440 = ':MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:'

t.test('DER and PEM of one certificate are read, and more than one is none', async (t) => {
  for (const good of [cert, Buffer.from(cert), der, `subject=CN = client-a\n${cert}`]) t.equal(thumbprintOf(good), x5t)
  for (const several of [cert + other, Buffer.from(cert + other), Buffer.concat([der, otherDer]), Buffer.concat([der, Buffer.from([0])]), cert + CLIENTS.a.key, Buffer.from(`0\n${cert}`), Buffer.alloc(0)]) {
    t.equal(thumbprintOf(several), undefined)
  }
})

t.test('Client-Cert holds DER, and nothing after it', async (t) => {
  const header = new CertificateHeader('client-cert')
  const thumbprint = (bytes: Buffer): string => header.thumbprint([`:${bytes.toString('base64')}:`])
  t.equal(thumbprint(der), x5t)
  for (const bytes of [Buffer.from(cert), Buffer.from(cert + other), Buffer.concat([der, otherDer]), der.subarray(1)]) t.equal(thumbprint(bytes), UNREADABLE)
  for (const value of [`:${der.toString('base64')}:, :${otherDer.toString('base64')}:`, `:${der.toString('base64')}:;a=1`]) t.equal(header.thumbprint([value]), UNREADABLE)
})

/** The example of RFC 8705 appendix A, and the x5t#S256 that is given there. */
const RFC_8705 = {
  thumbprint: 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0',
  base64: 'MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY='
}

t.test('the example of RFC 8705 has its thumbprint, in each form', async (t) => {
  const { base64, thumbprint } = RFC_8705
  const pem = `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  for (const form of [Buffer.from(base64, 'base64'), pem, Buffer.from(pem)]) t.equal(thumbprintOf(form), thumbprint)
  t.equal(new CertificateHeader('client-cert').thumbprint([`:${base64}:`]), thumbprint)
  t.equal(new CertificateHeader('ssl-client-cert').thumbprint([encodeURIComponent(pem)]), thumbprint)
  t.equal(new CertificateHeader('x-forwarded-client-cert').thumbprint([`Hash=${Buffer.from(thumbprint, 'base64url').toString('hex')};Cert="${encodeURIComponent(pem)}"`]), thumbprint)
})

t.test('the example of RFC 9440 is read', async (t) => {
  const bytes = Buffer.from(RFC_9440.slice(1, -1), 'base64')
  t.match(new X509Certificate(bytes).subject, /CN=BC/)
  t.equal(new CertificateHeader('client-cert').thumbprint([RFC_9440]), createHash('sha256').update(bytes).digest('base64url'))
})

t.test('a header of quotes and backslashes is read in linear time', async (t) => {
  const header = new CertificateHeader('x-forwarded-client-cert')
  for (const part of ['\\"', '\\', 'a=', 'a="";', 'Hash=,', '"']) t.equal(header.thumbprint([`Subject="${part.repeat(30_000 / part.length)}`]), UNREADABLE)
})

t.test('a function that is asynchronous and rejects is refused, and does not end the process', async (t) => {
  const find = createCertificateThumbprint(filledIn(mtlsGroup, { certificate: async () => { throw new Error('mine') } }), { warn: () => {} })
  const unhandled: unknown[] = []
  const listener = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', listener)
  t.throws(() => find({} as FastifyRequest), { message: /^mtls.certificate must return a certificate in DER or PEM, or undefined, not / })
  await new Promise(setImmediate)
  process.off('unhandledRejection', listener)
  t.same(unhandled, [])
  const throws = createCertificateThumbprint(filledIn(mtlsGroup, { certificate: () => { throw new RangeError('mine') } }), { warn: () => {} })
  t.throws(() => throws({} as FastifyRequest), { name: 'RangeError', message: 'mine' })
})
