import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** The ways in which this API checks that a token is presented by its owner. */
export interface ConfirmationMethods {
  /** DPoP proofs (RFC 9449). */
  readonly dpop: boolean
  /** Client certificates (RFC 8705). */
  readonly mtls: boolean
}

/** Tokens that are bound to a key are refused. */
export const NO_CONFIRMATION: ConfirmationMethods = { dpop: false, mtls: false }

/** The keys that a token is bound to; all of them have to be proven. */
export interface Binding {
  /** The thumbprint of the key of DPoP proofs (RFC 9449 section 6.1); `undefined`: no proof. */
  readonly jkt: string | undefined
  /** The thumbprint of the client certificate (RFC 8705 section 3.1); `undefined`: no certificate. */
  readonly certificate: string | undefined
}

export type ConfirmationFault = 'sender_constrained' | 'cnf_malformed' | 'cnf_method_unknown' | 'dpop_typ_unbound'

/** Members of `cnf` that are no method of confirmation: Keycloak names the kind of `jkt`. */
const NOTES: ReadonlySet<string> = new Set(['kc-jkt-type'])

const DPOP = 'jkt'
const CERTIFICATE = 'x5t#S256'

/** SHA-256 in base64url: 43 characters, of which the last holds four bits. */
const THUMBPRINT = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** The fault of the claims `cnf` and `typ` (RFC 7800 section 3.1); `undefined` if this API can check all that they demand. */
export function confirmationFault (claims: JsonObject, methods: ConfirmationMethods): ConfirmationFault | undefined {
  const isDpop = member(claims, 'typ') === 'DPoP'
  if (!Object.hasOwn(claims, 'cnf')) return isDpop ? 'dpop_typ_unbound' : undefined
  if (!methods.dpop && !methods.mtls) return 'sender_constrained'
  const { cnf } = claims
  if (!isObject(cnf)) return 'cnf_malformed'
  const names = Object.keys(cnf).filter((name) => !NOTES.has(name))
  for (const name of names) {
    if (name !== DPOP && name !== CERTIFICATE) return 'cnf_method_unknown'
    if (!methods[name === DPOP ? 'dpop' : 'mtls']) return 'sender_constrained'
    const thumbprint = cnf[name]
    if (typeof thumbprint !== 'string' || !THUMBPRINT.test(thumbprint)) return 'cnf_malformed'
  }
  if (names.length === 0) return 'cnf_malformed'
  return isDpop && !names.includes(DPOP) ? 'dpop_typ_unbound' : undefined
}

/** The keys that checked claims demand; `undefined` for a Bearer token. */
export function bindingOf (claims: JsonObject): Binding | undefined {
  if (!Object.hasOwn(claims, 'cnf')) return undefined
  const cnf = claims.cnf as JsonObject
  return { jkt: member(cnf, DPOP) as string | undefined, certificate: member(cnf, CERTIFICATE) as string | undefined }
}
