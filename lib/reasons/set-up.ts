import type { KeycloakReasonCode } from './reason.js'

// The reasons that follow from a setting here, in Keycloak, in a proxy or on a clock, so that they return until somebody changes it. The
// log warns of them if the realm signed the token. Everyday reasons are not among them, such as an expired token or a missing role.

/** The client sends another token than the access token. Header or payload may say so, before or after the signature is checked. */
const KINDS = ['id_token', 'refresh_token', 'offline_token', 'logout_token', 'registration_token'] as const

/** Found before the signature is checked, or without a check of it. */
const EARLY = ['at_jwt_required', 'issuer_unknown', 'issuer_not_selected'] as const

/** Found in the claims of a token whose signature is good. */
const OF_TOKENS = [
  'iat_missing', 'iat_future', 'nbf_future', 'exp_missing', 'date_not_number', 'iss_mismatch',
  'aud_missing', 'aud_malformed', 'aud_mismatch', 'azp_missing', 'azp_mismatch', 'token_too_old', 'at_jwt_claim_missing',
  'typ_mismatch', 'claim_not_string', 'dpop_bound', 'sender_constrained', 'cnf_malformed', 'cnf_method_unknown', 'dpop_typ_unbound',
  'lightweight', 'token_lives_too_long', 'sid_not_string', 'token_inactive_audience', 'introspection_mismatch'
] as const

/** Found after it: mappers, client scopes and paths of claims. */
const OF_CALLERS = [
  'user_claim_missing', 'user_claim_lightweight', 'user_claim_not_string', 'user_claim_not_integer', 'user_claim_not_text', 'email_verified_missing',
  'scope_claim_missing', 'scope_claim_not_string', 'roles_absent', 'roles_misplaced', 'roles_not_array', 'realm_roles_absent', 'client_roles_absent',
  'groups_absent', 'organization_absent', 'claim_lightweight', 'roles_lightweight', 'uma_off',
  'acr_missing', 'acr_not_string', 'auth_time_missing', 'auth_time_malformed', 'auth_time_future', 'login_lightweight'
] as const

/** Found after it: clients, proxies and clocks that cannot prove the key of the token. */
const OF_PROOFS = [
  'sender_constraint_missing', 'dpop_token_as_bearer', 'certificate_missing', 'certificate_unreadable', 'certificate_other',
  'proof_missing', 'proof_alg', 'proof_htu', 'proof_old', 'proof_early'
] as const

/** Each with whether a token that nobody signed can have it. */
const SET_UP: ReadonlyMap<KeycloakReasonCode, boolean> = new Map<KeycloakReasonCode, boolean>([
  ...[...KINDS, ...EARLY].map((code) => [code, true] as const),
  ...[...OF_TOKENS, ...OF_CALLERS, ...OF_PROOFS].map((code) => [code, false] as const)
])

/** All of them. */
export const SET_UP_REASONS: readonly KeycloakReasonCode[] = [...SET_UP.keys()]

/**
 * Does the log warn of a reason? `proven`: only tokens whose signature was checked have it. `unproven`: others may have it, too.
 * @returns `undefined` if it is an everyday reason
 */
export function setUpReason (code: KeycloakReasonCode): 'proven' | 'unproven' | undefined {
  const isUnproven = SET_UP.get(code)
  if (isUnproven === undefined) return undefined
  return isUnproven ? 'unproven' : 'proven'
}
