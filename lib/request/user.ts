import type { FastifyRequest } from 'fastify'
import type { KeycloakOptions, Profile } from '../../types/options.js'
import type { Claims, User } from '../../types/user.js'
import { claimAt, type ClaimPath, nameOf, segmentsOf } from '../util/claim-path.js'
import { notValid, refusal } from '../errors.js'
import type { Identity } from '../token/identity.js'
import type { JsonObject } from '../util/strict-json.js'
import { memberOf } from '../util/members.js'
import { andThen, type MaybePromise, toMaybePromise } from '../util/maybe-promise.js'
import { kindOf } from '../util/kind-of.js'
import { INTROSPECT, isLightweight, LIGHTWEIGHT, scopeOf } from '../token/token-kind.js'
import { checkVerifiedEmail, needsVerifiedEmail } from '../options/verified-email.js'

export interface UserOptions {
  userIdField: string
  userIdClaim: ClaimPath
  acceptUnverifiedEmail: boolean
  claimMapping: Readonly<Record<string, ClaimPath>>
  syncUser?: KeycloakOptions['syncUser']
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
}

/** From who somebody is by their claims to `request.user`. */
export type ToUser = (identity: Identity, request: FastifyRequest) => MaybePromise<User>

/**
 * @returns a function that gives the user of some claims
 * @throws {KeycloakError} token_not_valid without the claim that identifies the user, user_inactive
 */
export function createToUser (options: UserOptions): ToUser {
  const { userIdField, userIdClaim, claimMapping, syncUser } = options
  const isAddress = needsVerifiedEmail(options)
  const idIn = claimAt(userIdClaim)
  const isText = TEXT.has(nameOf(userIdClaim))
  // The claim that identifies wins over a mapping to the same key.
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
  return ({ claims: verified }, request) => {
    const claims = verified as Claims
    return andThen(toMaybePromise(syncUser(profileOf(claims), { claims, request })), active)
  }
}

/** Claims that are strings by RFC 7519 section 4.1.2 and OpenID Connect Core 1.0 section 5.1. */
const TEXT: ReadonlySet<string> = new Set(['sub', 'preferred_username', 'email', 'name', 'nickname', 'phone_number'])

/** A user's id is text. In a claim of a mapper of one's own, a whole number that JSON hands on exactly has its digits. */
function textOf (id: unknown, isText: boolean): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id
  return !isText && Number.isSafeInteger(id) ? String(id) : undefined
}

/** Why a token tells no user. */
function whyNobody (id: unknown, claims: JsonObject, { userIdClaim, verifyTokensWithKeycloak }: UserOptions): string {
  const claim = nameOf(userIdClaim)
  const which = `the claim ${claim}, which identifies the user (userIdClaim),`
  if (TEXT.has(claim) && id !== undefined && id !== null) return `${which} is ${kindOf(id)}, not a string`
  if (typeof id === 'number') return `${which} is a number with a fraction or beyond 2^53: have its mapper write a String`
  if (id !== undefined && id !== null) return `${which} is ${kindOf(id)}, and neither text nor a whole number`
  if (isLightweight(claims) && !verifyTokensWithKeycloak) return `${which} is missing: ${LIGHTWEIGHT}: ${INTROSPECT}`
  const scope = scopeOf(segmentsOf(userIdClaim)[0]!)
  const cure = scope === undefined ? 'a mapper for it' : `the client scope "${scope}", which brings it`
  return `${which} is missing: give the client of the token ${cure}${verifyTokensWithKeycloak ? ', and switch "Add to token introspection" of its mapper on' : ''}`
}

function active (user: unknown): User {
  if (Array.isArray(user)) throw new TypeError('syncUser must return a user or null, not an array: return its first element')
  if (typeof user !== 'object' || user === null) throw refusal('user_inactive', 'syncUser gave no user')
  const isActive = memberOf(user, 'isActive')
  // 0 too, which is what some databases make of false; what is absent or null says nothing.
  if (isActive !== undefined && isActive !== null && !isActive) throw refusal('user_inactive', 'isActive is false')
  return user as User
}
