import { constants, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto'
import { withoutStack } from '../util/without-stack.js'

/** The check of signatures by one key and one algorithm, which reads nothing of the text (RFC 7518 section 3, RFC 8037 section 3.1). */
export class SignatureCheck {
  readonly #digest: string | undefined
  readonly #parameters: KeyObject | VerifyKeyObjectInput

  constructor (key: KeyObject, alg: string) {
    this.#digest = alg === 'EdDSA' ? undefined : `sha${alg.slice(2)}`
    this.#parameters = parametersOf(key, alg)
  }

  /** @param text only of ASCII characters */
  isGood (text: string, signature: Buffer): boolean {
    return withoutStack(() => verify(this.#digest, Buffer.from(text, 'latin1'), this.#parameters, signature))
  }

  /**
   * The same by a thread of libuv's pool.
   * @param done is called later, and once
   */
  inPool (text: string, signature: Buffer, done: (isGood: boolean) => void): void {
    withoutStack(() => {
      verify(this.#digest, Buffer.from(text, 'latin1'), this.#parameters, signature, (error, isGood) => done(error === null && isGood))
    })
  }
}

/**
 * A bare key if it needs no parameters. Node 24 up to 24.21 makes and drops two errors for a key that stands in an object: with their
 * stacks they take half as long as the check itself, hence also {@link withoutStack}.
 */
function parametersOf (key: KeyObject, alg: string): KeyObject | VerifyKeyObjectInput {
  if (alg.startsWith('PS')) return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : key
}
