import type { DpopSettings } from './dpop.js'
import type { MtlsSettings } from './mtls.js'

/** How tokens come, and how their keys are proven, by the options. */
export interface ConfirmationRules {
  /** Are DPoP proofs checked (RFC 9449)? */
  readonly dpop: boolean
  /** Are client certificates checked (RFC 8705)? */
  readonly mtls: boolean
  /** Is every token refused that is bound to no key? */
  readonly isRequired: boolean
  /** Do DPoP proofs need a nonce of this API (RFC 9449 section 9)? */
  readonly usesNonces: boolean
}

type Schemes = ReadonlyArray<'Bearer' | 'DPoP'>

const BEARER: Schemes = ['Bearer']
const DPOP: Schemes = ['DPoP']
const BOTH: Schemes = ['Bearer', 'DPoP']

interface Settings {
  dpop?: Pick<DpopSettings, 'required' | 'nonce'> | undefined
  mtls?: Pick<MtlsSettings, 'required'> | undefined
}

export function confirmationRulesOf ({ dpop, mtls }: Settings): ConfirmationRules {
  return {
    dpop: dpop !== undefined,
    mtls: mtls !== undefined,
    isRequired: dpop?.required === true || mtls?.required === true,
    usesNonces: dpop !== undefined && dpop.nonce !== false
  }
}

/**
 * The schemes by which a token may come. A token that is bound to a certificate comes as Bearer (RFC 8705 section 3).
 * @param isDemanded does the route demand a bound token?
 */
export function schemesTaken ({ dpop, mtls, isRequired }: ConfirmationRules, isDemanded: boolean): Schemes {
  if (!dpop) return BEARER
  return (isRequired || isDemanded) && !mtls ? DPOP : BOTH
}
