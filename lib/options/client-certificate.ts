import { X509Certificate } from 'node:crypto'
import { fromPem } from '../util/private-key.js'
import { certificateFault } from './certificate.js'

/** A certificate and its private key, in PEM. */
export interface CertificatePair {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** A member of a pair that is wrong. */
export interface CertificatePairFault {
  readonly member: 'cert' | 'key'
  /** Completes "not …"; `undefined` for a value of another type. */
  readonly found: string | undefined
}

/** The time of a certificate, in milliseconds since 1970. */
export interface Validity {
  readonly from: number
  readonly to: number
}

/** The first thing that is wrong with a pair: a form, the key of another certificate, a date. */
export function certificatePairFault (cert: unknown, key: unknown, now: number): CertificatePairFault | undefined {
  if (!isPem(cert)) return { member: 'cert', found: undefined }
  const found = certificateFault(cert)
  if (found !== undefined) return { member: 'cert', found }
  if (!isPem(key)) return { member: 'key', found: undefined }
  const read = fromPem(key)
  if (read.key === undefined) return { member: 'key', found: read.fault }
  if (!new X509Certificate(cert).checkPrivateKey(read.key)) return { member: 'key', found: 'the key of another certificate' }
  const { from, to } = validityOf(cert)
  if (now >= to) return { member: 'cert', found: `one that has expired, at ${new Date(to).toISOString()}` }
  return now < from ? { member: 'cert', found: `one that is not valid before ${new Date(from).toISOString()}` } : undefined
}

export function validityOf (cert: string | Buffer): Validity {
  const { validFrom, validTo } = new X509Certificate(cert)
  return { from: Date.parse(validFrom), to: Date.parse(validTo) }
}

/** The characters of a subject that need no escape in RFC 2253. */
const PLAIN = /^[A-Za-z][A-Za-z0-9.]*=[\w .@:/-]*$/

/**
 * The subject as Keycloak compares it: RFC 2253, whose order is the reverse of that of the certificate.
 * @returns `undefined` for one that has characters to escape
 */
export function subjectOf (cert: string | Buffer): string | undefined {
  const parts = String(new X509Certificate(cert).subject).split('\n')
  return parts.every((part) => PLAIN.test(part)) ? parts.reverse().join(',') : undefined
}

function isPem (value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}
