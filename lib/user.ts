import type { FastifyRequest } from 'fastify'
import type { KeycloakOptions, Profile } from '../types/options.js'
import type { Claims, User } from '../types/user.js'
import { notValid, refusal } from './errors.js'
import type { Identity } from './identity.js'
import { type JsonObject, member } from './json.js'
import { memberOf } from './members.js'
import { type Maybe, next, settled } from './maybe.js'
import { checkVerifiedEmail, needsVerifiedEmail } from './verified-email.js'

export interface UserOptions {
  userIdField: string
  userIdClaim: string
  acceptUnverifiedEmail: boolean
  claimMapping: Readonly<Record<string, string>>
  syncUser?: KeycloakOptions['syncUser']
}

/** From who somebody is by their claims to `request.user`. */
export type ToUser = (identity: Identity, request: FastifyRequest) => Maybe<User>

/**
 * @returns a function that gives the user of some claims
 * @throws {KeycloakError} token_not_valid without the claim that identifies the user, user_inactive
 */
export function createToUser (options: UserOptions): ToUser {
  const { userIdField, userIdClaim, claimMapping, syncUser } = options
  const isAddress = needsVerifiedEmail(options)
  // The claim that identifies wins over a mapping to the same key.
  const mapping = Object.entries(claimMapping).filter(([key]) => key !== userIdField)

  function profileOf (claims: JsonObject): Profile {
    const id = member(claims, userIdClaim)
    if (typeof id !== 'string' || id === '') throw notValid('the claim that identifies the user is missing')
    if (isAddress) checkVerifiedEmail(claims)
    const profile: Record<string, unknown> = { [userIdField]: id }
    for (const [key, claim] of mapping) {
      const value = member(claims, claim)
      if (value !== undefined && value !== null) profile[key] = value
    }
    return Object.freeze(profile)
  }

  if (syncUser === undefined) return (identity) => (identity.user ??= profileOf(identity.claims) as unknown as User)
  return ({ claims: verified }, request) => {
    const claims = verified as Claims
    return next(settled(syncUser(profileOf(claims), { claims, request })), active)
  }
}

function active (user: unknown): User {
  if (Array.isArray(user)) throw new TypeError('syncUser must return a user or null, not an array: return its first element')
  if (typeof user !== 'object' || user === null) throw refusal('user_inactive', 'syncUser gave no user')
  const isActive = memberOf(user, 'isActive')
  // 0 too, which is what some databases make of false; what is absent or null says nothing.
  if (isActive !== undefined && isActive !== null && !isActive) throw refusal('user_inactive', 'isActive is false')
  return user as User
}
