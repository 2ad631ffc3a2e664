import { createHash, X509Certificate } from 'node:crypto'

/** Bytes of the largest certificate that is read. */
const MAX_BYTES = 16_384

/** SHA-256 of a certificate in DER, or of one in PEM; `undefined` if it is none. */
export function thumbprintOf (certificate: Buffer | string): string | undefined {
  if (certificate.length > MAX_BYTES) return undefined
  try {
    const { raw } = new X509Certificate(certificate)
    // The text of a PEM may have more than one certificate, and then nobody knows which of them is meant.
    if (typeof certificate === 'string' && certificate.split('-----BEGIN').length > 2) return undefined
    return digestOf(raw)
  } catch {
    return undefined
  }
}

export function digestOf (der: Buffer): string {
  return createHash('sha256').update(der).digest('base64url')
}
