import type { KeycloakOptions, Profile } from '../../types/options.js'
import type { Claims, User } from '../../types/user.js'
import { notValid, refusal } from '../errors.js'
import { checkVerifiedEmail, needsVerifiedEmail } from '../options/verified-email.js'
import type { ToUser } from '../realm/shared.js'
import { type Reason, reasonFor } from '../reasons/reason.js'
import { isLightweight, scopeOf } from '../token/token-kind.js'
import { claimAt, type ClaimPath, nameOf, segmentsOf } from '../util/claim-path.js'
import { kindOf } from '../util/kind-of.js'
import { andThen, toMaybePromise } from '../util/maybe-promise.js'
import { memberOf } from '../util/members.js'
import type { JsonObject } from '../util/strict-json.js'

export interface UserOptions {
  userIdField: string
  userIdClaim: ClaimPath
  acceptUnverifiedEmail: boolean
  claimMapping: Readonly<Record<string, ClaimPath>>
  syncUser?: KeycloakOptions['syncUser']
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
}

/** @returns a function that gives a realm its {@link createToUser} with the application's `syncUser` */
export function toUserBy (syncUser: KeycloakOptions['syncUser']): (options: Omit<UserOptions, 'syncUser'>) => ToUser {
  return (options) => createToUser({ ...options, syncUser })
}

/**
 * @returns a function that makes the user of an identity
 * @throws {KeycloakError} token_not_valid without the claim that identifies the user, user_inactive
 */
function createToUser (options: UserOptions): ToUser {
  const { userIdField, userIdClaim, claimMapping, syncUser } = options
  const isAddress = needsVerifiedEmail(options)
  const idIn = claimAt(userIdClaim)
  const isText = TEXT.has(nameOf(userIdClaim))
  // The claim that identifies the user wins over a mapping to the same key.
  const mapping = Object.entries(claimMapping).filter(([key]) => key !== userIdField).map(([key, path]) => [key, claimAt(path)] as const)

  function profileOf (claims: JsonObject): Profile {
    const id = textOf(idIn(claims), isText)
    if (id === undefined) throw notValid(() => whyNobody(idIn(claims), claims, options))
    if (isAddress) checkVerifiedEmail(claims)
    const profile: Record<string, unknown> = { [userIdField]: id }
    for (const [key, valueIn] of mapping) {
      const value = valueIn(claims)
      if (value !== undefined && value !== null) profile[key] = value
    }
    return Object.freeze(profile)
  }

  if (syncUser === undefined) return (identity) => (identity.user ??= profileOf(identity.claims) as unknown as User)
  return ({ claims: verified, owner: { name: issuer } }, request) => {
    const claims = verified as Claims
    return andThen(toMaybePromise(syncUser(profileOf(claims), { claims, request, issuer })), active)
  }
}

/** Claims that are strings by RFC 7519 section 4.1.2 and OpenID Connect Core 1.0 section 5.1. */
const TEXT: ReadonlySet<string> = new Set(['sub', 'preferred_username', 'email', 'name', 'nickname', 'phone_number'])

/**
 * The id of a user as text; `undefined` if the claim has none. A whole number becomes its digits, up to 2^53, which JSON
 * keeps exactly, unless the claim is a string by its standard.
 */
function textOf (id: unknown, isText: boolean): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id
  return !isText && Number.isSafeInteger(id) ? String(id) : undefined
}

/** The reason to refuse a token that names no user. */
function whyNobody (id: unknown, claims: JsonObject, { userIdClaim, verifyTokensWithKeycloak }: UserOptions): Reason {
  const claim = nameOf(userIdClaim)
  if (id !== undefined && id !== null) {
    if (TEXT.has(claim)) return reasonFor('user_claim_not_string', { claim, kind: kindOf(id) })
    return typeof id === 'number' ? reasonFor('user_claim_not_integer', { claim }) : reasonFor('user_claim_not_text', { claim, kind: kindOf(id) })
  }
  if (isLightweight(claims) && !verifyTokensWithKeycloak) return reasonFor('user_claim_lightweight', { claim })
  const scope = scopeOf(segmentsOf(userIdClaim)[0]!)
  return reasonFor('user_claim_missing', {
    claim,
    cure: scope === undefined ? 'a mapper for it' : `the client scope "${scope}", which brings it`,
    switch: verifyTokensWithKeycloak ? '"Add to token introspection"' : undefined
  })
}

function active (user: unknown): User {
  if (Array.isArray(user)) throw new TypeError('syncUser must return a user or null, not an array: return its first element')
  if (typeof user !== 'object' || user === null) throw refusal('user_inactive', 'user_unknown')
  const isActive = memberOf(user, 'isActive')
  // 0 is inactive too, because some databases store false as 0. A value that is absent or null says nothing.
  if (isActive !== undefined && isActive !== null && !isActive) throw refusal('user_inactive', 'user_disabled')
  return user as User
}
