import { constants, type KeyObject, verify } from 'node:crypto'

/**
 * A look at a token's signature alone, which reads nothing of its payload (RFC 7518 section 3, RFC 8037 section 3.1): for
 * tokens of strangers that may be large. Of those whose signature is good fast-jwt has the last word.
 */
export function createSignatureCheck (key: KeyObject, alg: string): (token: string) => boolean {
  const digest = alg === 'EdDSA' ? undefined : `sha${alg.slice(2)}`
  const options = alg.startsWith('PS')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key, dsaEncoding: 'ieee-p1363' as const }
  return (token) => {
    const end = token.lastIndexOf('.')
    return verify(digest, Buffer.from(token.slice(0, end), 'latin1'), options, Buffer.from(token.slice(end + 1), 'base64url'))
  }
}
