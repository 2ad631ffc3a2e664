import { notValid } from '../errors.js'
import { copyOf } from '../token/token-cache.js'

/** Fields of a form that are looked at: Keycloak sends one. */
const MAX_FIELDS = 16

const PLAIN = /^logout_token=[\w.-]+$/

/**
 * OpenID Connect Back-Channel Logout 1.0 section 2.5: one member of a form.
 * @throws {KeycloakError} token_not_valid
 */
export function formToken (body: string): string {
  // What Keycloak sends needs no decoding.
  if (PLAIN.test(body)) return body.slice(body.indexOf('=') + 1)
  // Each field costs several objects.
  if (body.split('&', MAX_FIELDS + 1).length > MAX_FIELDS) throw notValid(`the form has more than ${MAX_FIELDS} fields`)
  const [token, second] = new URLSearchParams(body).getAll('logout_token')
  if (token === undefined || second !== undefined) throw notValid('the form has other than one logout_token')
  // A part of a form would keep all of it in memory.
  return copyOf(token)
}
