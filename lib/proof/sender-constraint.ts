import { notValid } from '../errors.js'
import type { Scheme } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { UNREADABLE } from './certificate-header.js'
import type { DpopVerifier, ProofPresentation } from './dpop-verifier.js'

/** What comes beside a token, each member read only if the token is bound to it. */
export interface Presentation {
  readonly scheme: Scheme
  readonly token: string
  /** The DPoP proof, and the request that it is for. */
  proof (): ProofPresentation
  /** The thumbprint of the certificate that the client has proven (RFC 8705 section 3.1). */
  certificate (): string | undefined
}

/** Checks that a token is presented by the owner of the key that it is bound to. */
export class SenderConstraint {
  readonly #dpop: DpopVerifier | undefined
  readonly #required: boolean

  /**
   * @param dpop `undefined` if no token is bound to a DPoP key: those are refused before
   * @param required is a token refused that is not bound?
   */
  constructor (dpop: DpopVerifier | undefined, required: boolean) {
    this.#dpop = dpop
    this.#required = required
  }

  /**
   * @param isDemanded does the route demand a bound token?
   * @returns the nonce that the answer has to carry, if one is due
   * @throws {KeycloakError} token_not_valid, dpop_proof_not_valid, dpop_nonce_required, keycloak_unavailable
   */
  check ({ binding }: Identity, presentation: Presentation, isDemanded: boolean): MaybePromise<string | undefined> {
    const { scheme } = presentation
    if (binding === undefined && scheme === 'Bearer') {
      if (this.#required || isDemanded) throw notValid('sender_constraint_missing')
      return undefined
    }
    if (scheme === 'DPoP' && binding?.jkt === undefined) throw notValid('dpop_token_unbound')
    const { jkt, certificate } = binding!
    if (scheme !== 'DPoP' && jkt !== undefined) throw notValid('dpop_token_as_bearer')
    if (certificate !== undefined) checkCertificate(certificate, presentation.certificate())
    return jkt === undefined ? undefined : this.#dpop!.check(jkt, presentation.token, presentation.proof())
  }

  close (): void | Promise<void> {
    return this.#dpop?.close()
  }
}

/** Compared as texts: a thumbprint is no secret. */
function checkCertificate (expected: string, presented: string | undefined): void {
  if (presented === undefined) throw notValid('certificate_missing')
  if (presented === UNREADABLE) throw notValid('certificate_unreadable')
  if (presented !== expected) throw notValid('certificate_other')
}
