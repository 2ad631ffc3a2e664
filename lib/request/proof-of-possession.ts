import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VerifyPresentation } from '../../types/instance.js'
import type { Guard } from '../access/route-guard.js'
import type { PluginSettings } from '../options/options.js'
import { createCertificateThumbprint } from '../proof/client-certificate.js'
import { DpopVerifier } from '../proof/dpop-verifier.js'
import { createRequestUrl, proofsOf } from '../proof/request-url.js'
import { type Presentation, SenderConstraint } from '../proof/sender-constraint.js'
import { type ConfirmationRules, confirmationRulesOf, schemesTaken } from '../options/confirmation-rules.js'
import type { SharedByRealms } from '../realm/shared.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { andThen, type MaybePromise } from '../util/maybe-promise.js'
import { type ChallengeContext, nonceHeaders } from './challenge.js'
import { authorizationOf, credentialsIn, schemeOf } from './credentials.js'
import { presentationOf } from './verify-presentation.js'

type Settings = Pick<PluginSettings, 'dpop' | 'mtls'>

/** The proofs that come with requests. It is made only if the option `dpop` or `mtls` is given. */
export class ProofOfPossession {
  /** Is the scheme DPoP taken? */
  readonly takesDpop: boolean
  readonly #isRequired: boolean
  readonly #rules: ConfirmationRules
  readonly #dpop: DpopVerifier | undefined
  readonly #constraint: SenderConstraint
  readonly #urlOf: (request: FastifyRequest) => string
  readonly #certificateOf: (request: FastifyRequest) => string | undefined

  constructor ({ dpop, mtls }: Settings, { closing, pool, log }: Pick<SharedByRealms, 'closing' | 'pool'> & { log: FastifyRequest['log'] }) {
    this.#rules = confirmationRulesOf({ dpop, mtls })
    this.takesDpop = this.#rules.dpop
    this.#isRequired = this.#rules.isRequired
    this.#dpop = dpop && new DpopVerifier(dpop, { closing, pool, log })
    this.#constraint = new SenderConstraint(this.#dpop, this.#isRequired)
    this.#urlOf = createRequestUrl(dpop?.url)
    this.#certificateOf = mtls === undefined ? () => undefined : createCertificateThumbprint(mtls, log)
  }

  /** The credentials of a request by the scheme DPoP, which `extractToken` does not see. */
  dpopCredentials (request: FastifyRequest): Credentials | null {
    if (!this.takesDpop || schemeOf(request) !== 'DPoP') return null
    return credentialsIn(authorizationOf(request)!, true)
  }

  /** The same as {@link check} for a kept token, which was found by its header `Bearer`. */
  checkKept (request: FastifyRequest, reply: FastifyReply, header: string, identity: Identity, guard: Guard): MaybePromise<Identity> {
    if (identity.binding === undefined && !this.#isRequired && !guard.senderConstrained) return identity
    return this.check(request, reply, { scheme: 'Bearer', token: header }, identity, guard)
  }

  /**
   * The identity of a token that is presented by the owner of its key, on every request.
   * @throws {KeycloakError} token_not_valid, dpop_proof_not_valid, dpop_nonce_required, keycloak_unavailable
   */
  check (request: FastifyRequest, reply: FastifyReply, { scheme, token }: Credentials, identity: Identity, guard: Guard): MaybePromise<Identity> {
    const presentation: Presentation = {
      scheme,
      token,
      proof: () => ({ method: request.method, url: this.#urlOf(request), proofs: proofsOf(request) }),
      certificate: () => this.#certificateOf(request)
    }
    return andThen(this.#constraint.check(identity, presentation, guard.senderConstrained), (nonce) => {
      if (nonce !== undefined) reply.headers(nonceHeaders(nonce))
      return identity
    })
  }

  /**
   * The same for a token that does not come in a request.
   * @throws {TypeError} for a proof without method or URL
   */
  async checkPresented (token: string, identity: Identity, presentation: VerifyPresentation | undefined): Promise<void> {
    await this.#constraint.check(identity, presentationOf(token, presentation), false)
  }

  /** The challenges of a refusal of a request. */
  challengesOf (request: FastifyRequest, realm: string, guard: Guard): ChallengeContext {
    const used = this.takesDpop ? schemeOf(request) : 'Bearer'
    return { realm, used, taken: schemesTaken(this.#rules, guard.senderConstrained), dpopAlgorithms: this.#dpop?.algorithms }
  }

  /** The challenges of a refusal of a token that does not come in a request. */
  presentedChallenges (realm: string, presentation: VerifyPresentation | undefined): ChallengeContext {
    const used = this.takesDpop && presentation?.proof !== undefined ? 'DPoP' : 'Bearer'
    return { realm, used, taken: schemesTaken(this.#rules, false), dpopAlgorithms: this.#dpop?.algorithms }
  }

  close (): void | Promise<void> {
    return this.#constraint.close()
  }
}
