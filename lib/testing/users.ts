import { createHash } from 'node:crypto'
import type { Claims } from './jws.js'

/** The realm's record of a user. It depends on the name alone, so two tokens of alice have one user and one session. */
export interface RealmUser {
  /** A UUID. */
  sub: string
  /** 24 characters, no UUID, as in Keycloak 26. */
  sid: string
  /** The claims of the scopes `profile` and `email`. */
  profile: Claims
}

export function userOf (username: string): RealmUser {
  const givenName = username.charAt(0).toUpperCase() + username.slice(1)
  return {
    sub: uuidOf(username),
    sid: createHash('sha256').update(`session of ${username}`).digest('base64url').slice(0, 24),
    profile: {
      email_verified: true,
      name: `${givenName} Example`,
      preferred_username: username,
      given_name: givenName,
      family_name: 'Example',
      email: `${username}@example.com`
    }
  }
}

/** A UUID of version 8, whose content is free (RFC 9562 section 5.8). */
export function uuidOf (name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
