import type { LoginUser } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'

/** Who can log in at the embedded realm: Alice has the role, Bob has none, Carol has it and was shown the door. */
export const USERS = {
  alice: { password: 'alice-pw', roles: ['read-profile'] },
  bob: { password: 'bob-pw', roles: [] },
  carol: { password: 'carol-pw', roles: ['read-profile'] }
} satisfies Record<string, LoginUser>

/** Who can log in at the second realm. It may have a user of any name: a username is unique within its realm alone. */
export const PARTNERS = {
  paula: { password: 'paula-pw', roles: [] }
} satisfies Record<string, LoginUser>

/** What the API's own database would know: Keycloak lets Carol in, the API does not. */
const LEFT: ReadonlySet<unknown> = new Set(['carol'])

/** The user of a request: the profile, and whether the account is active; 401 `user_inactive` where it is not. */
export const syncUser: KeycloakOptions['syncUser'] = (profile) => ({ ...profile, isActive: !LEFT.has(profile.username) })
