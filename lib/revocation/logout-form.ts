import { notValid } from '../errors.js'
import { copyOf } from '../token/token-cache.js'
import { reasonFor } from '../reasons/reason.js'

/** Limit of the fields of a form. Keycloak sends one; the parser makes several objects of each. */
const MAX_FIELDS = 16

/** A form as Keycloak sends it, which needs no decoding. */
const PLAIN = /^logout_token=[\w.-]+$/

const ASCII = /^\p{ASCII}*$/u

/**
 * The logout token of a form (OpenID Connect Back-Channel Logout 1.0 section 2.5).
 * @throws {KeycloakError} token_not_valid
 */
export function logoutTokenOf (form: string): string {
  if (PLAIN.test(form)) return form.slice(form.indexOf('=') + 1)
  if (form.split('&', MAX_FIELDS + 1).length > MAX_FIELDS) throw notValid(reasonFor('push_form_too_long', { count: MAX_FIELDS }))
  const [token, second] = new URLSearchParams(form).getAll('logout_token')
  if (token === undefined || second !== undefined) throw notValid('push_form_malformed')
  // A slice would keep the whole form in memory. A text with other characters was decoded, and the copy would make them ASCII.
  return ASCII.test(token) ? copyOf(token) : token
}
