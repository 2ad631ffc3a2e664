import { constants, type KeyObject, verify as verifySignature } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { notValid } from '../errors.js'
import { endsWell } from '../util/base64url.js'
import { withoutStack } from '../util/without-stack.js'

/** A signing key of the realm for one algorithm. */
export interface Key {
  /**
   * @returns the payload, as fast-jwt has read it
   * @throws {KeycloakError} token_not_valid
   */
  verify (token: string): unknown
  /**
   * Check the signature alone: a token that `verify` refuses may pass, but none with a bad signature.
   * @throws {KeycloakError} token_not_valid
   */
  checkSignature (token: string): void
}

/** fast-jwt verifies the signature; the claims are checked by this package, in the order of its contract. */
export function createKey (key: KeyObject, alg: string): Key {
  const verify = createVerifier({
    key: key.export({ type: 'spki', format: 'pem' }) as string,
    algorithms: [alg as 'RS256'],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true
  })
  const { modulusLength } = key.asymmetricKeyDetails!
  // OpenSSL takes an RSA signature without its leading zeros; RFC 8017 section 8.1.2 does not.
  const length = modulusLength === undefined ? undefined : Math.ceil(Math.ceil(modulusLength / 8) * 4 / 3)
  const isSigned = createSignatureCheck(key, alg)
  return {
    checkSignature (token) {
      if (!isSigned(token)) throw notValid('signature_invalid')
    },
    verify (token) {
      const signature = token.slice(token.lastIndexOf('.') + 1)
      if (length !== undefined && signature.length !== length) throw notValid('signature_length')
      // Of its other characters fast-jwt sees to it that they are base64url.
      if (!endsWell(signature)) throw notValid('signature_not_base64url')
      try {
        return withoutStack(() => verify(token))
      } catch {
        throw notValid('signature_invalid')
      }
    }
  }
}

/** @returns whether a signature is the key's of a text, which is ASCII (RFC 7518 section 3, RFC 8037 section 3.1) */
export function createTextCheck (key: KeyObject, alg: string): (text: string, signature: Buffer) => boolean {
  const digest = alg === 'EdDSA' ? undefined : `sha${alg.slice(2)}`
  const options = alg.startsWith('PS')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key, dsaEncoding: 'ieee-p1363' as const }
  return (text, signature) => verifySignature(digest, Buffer.from(text, 'latin1'), options, signature)
}

/**
 * A check of a token's signature alone, which reads nothing of its payload: for tokens of strangers that may be large. If the
 * signature is good, fast-jwt has the last word.
 */
function createSignatureCheck (key: KeyObject, alg: string): (token: string) => boolean {
  const isSigned = createTextCheck(key, alg)
  return (token) => {
    const end = token.lastIndexOf('.')
    return isSigned(token.slice(0, end), Buffer.from(token.slice(end + 1), 'base64url'))
  }
}
