import { createHash, X509Certificate } from 'node:crypto'

/** Bytes of the largest certificate that is read. */
const MAX_BYTES = 16_384

/** SHA-256 of a certificate in DER, or of one in PEM; `undefined` if it is none. */
export function thumbprintOf (certificate: Buffer | string): string | undefined {
  if (certificate.length > MAX_BYTES) return undefined
  try {
    const { raw } = new X509Certificate(certificate)
    return isAlone(certificate, raw) ? digestOf(raw) : undefined
  } catch {
    return undefined
  }
}

/** OpenSSL reads the first certificate and leaves the rest, and then nobody knows which of several is meant. */
function isAlone (certificate: Buffer | string, der: Buffer): boolean {
  if (typeof certificate !== 'string' && isDer(certificate)) return der.equals(certificate)
  return certificate.toString().split('-----BEGIN').length === 2
}

/** Does it begin with an ASN.1 SEQUENCE, as DER does and PEM does not? */
export function isDer (bytes: Buffer): boolean {
  return bytes[0] === 0x30
}

/** SHA-256 in base64url. */
export function digestOf (data: Buffer | string): string {
  return createHash('sha256').update(data).digest('base64url')
}
