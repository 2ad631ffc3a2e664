import type { KeyObject } from 'node:crypto'
import { createDecoder, createVerifier } from 'fast-jwt'
import { notValid } from '../errors.js'
import { endsWell } from '../util/base64url.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { withoutStack } from '../util/without-stack.js'
import { SignatureCheck } from './signature-check.js'
import type { SignaturePool } from './signature-pool.js'

/** A signing key of the realm for one algorithm. */
export interface Key {
  /**
   * @returns the payload, as fast-jwt has read it; a promise of it if the signature is checked in a thread pool
   * @throws {KeycloakError} token_not_valid
   */
  verify (token: string): MaybePromise<object>
  /**
   * Check the signature alone: a token that `verify` refuses may pass, but none with a bad signature.
   * @throws {KeycloakError} token_not_valid
   */
  checkSignature (token: string): void
}

/**
 * fast-jwt reads the payload, and verifies the signature unless a thread pool does; the claims are checked by this package, in the
 * order of its contract.
 * @param pool `undefined` to verify all signatures at once
 */
export function createKey (key: KeyObject, alg: string, pool: SignaturePool | undefined): Key {
  const verify = createVerifier({
    key: key.export({ type: 'spki', format: 'pem' }) as string,
    algorithms: [alg as 'RS256'],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true
  })
  const decode = createDecoder()
  const { modulusLength } = key.asymmetricKeyDetails!
  // OpenSSL takes an RSA signature without its leading zeros; RFC 8017 section 8.1.2 does not.
  const length = modulusLength === undefined ? undefined : Math.ceil(Math.ceil(modulusLength / 8) * 4 / 3)
  const check = new SignatureCheck(key, alg)
  return {
    checkSignature (token) {
      const [text, signature] = split(token)
      if (!check.isGood(text, Buffer.from(signature, 'base64url'))) throw notValid('signature_invalid')
    },
    verify (token) {
      const [text, signature] = split(token)
      if (length !== undefined && signature.length !== length) throw notValid('signature_length')
      // Of its other characters fast-jwt sees to it that they are base64url.
      if (!endsWell(signature)) throw notValid('signature_not_base64url')
      if (pool?.hasRoom !== true) return readBy(verify, token)
      return pool.isGood(check, text, Buffer.from(signature, 'base64url')).then((isGood) => {
        if (!isGood) throw notValid('signature_invalid')
        return readBy(decode, token)
      })
    }
  }
}

/** The payload by a function of fast-jwt, which refuses characters that are not base64url in any segment. */
function readBy (read: (token: string) => object, token: string): object {
  try {
    return withoutStack(() => read(token))
  } catch {
    throw notValid('signature_invalid')
  }
}

/** The signed text of a token, and its signature in base64url. */
function split (token: string): [text: string, signature: string] {
  const end = token.lastIndexOf('.')
  return [token.slice(0, end), token.slice(end + 1)]
}
