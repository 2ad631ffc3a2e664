/**
 * What you can narrow by declaration merging. Declare it once in your application:
 *
 * ```ts
 * declare module 'fastify-keycloak-bearer' {
 *   interface KeycloakTypes {
 *     user: { id: string, email?: string }   // what request.user is; what syncUser returns
 *     claims: { tenant: string }             // what your mappers add to request.auth
 *   }
 * }
 * ```
 */
export interface KeycloakTypes {}

/** `request.user` when there is no `syncUser`, with the default `userIdField` and `claimMapping`. */
export interface DefaultUser {
  readonly username: string
  readonly firstName?: string
  readonly lastName?: string
  readonly email?: string
}

/** The user of a request: `KeycloakTypes['user']` where you declared one, else {@link DefaultUser}. */
export type User = KeycloakTypes extends { user: infer Declared } ? Declared : DefaultUser

/** The roles of one client or of the realm, as Keycloak writes them. */
export interface RoleList {
  readonly roles?: readonly string[]
}

/** The claims of a verified access token (RFC 7519 section 4.1, RFC 9068, Keycloak). Deeply frozen. */
export interface AccessTokenClaims {
  /** Issuer: the realm's URL. */
  readonly iss: string
  /** Expiration time, in seconds since 1970. */
  readonly exp: number
  /** Issued at, in seconds since 1970. */
  readonly iat: number
  /** Not before, in seconds since 1970. */
  readonly nbf?: number
  /** Subject: the user's id in Keycloak, which never changes. A lightweight token has none. */
  readonly sub?: string
  /** Audience. */
  readonly aud?: string | readonly string[]
  /** The token's own id. */
  readonly jti?: string
  /** `Bearer`, where present. */
  readonly typ?: string
  /** Authorized party: the client that asked for the token. */
  readonly azp?: string
  /** The user's session at Keycloak; absent for client credentials. */
  readonly sid?: string
  /** Space-separated scopes. */
  readonly scope?: string
  readonly realm_access?: RoleList
  readonly resource_access?: Readonly<Record<string, RoleList | undefined>>
  readonly preferred_username?: string
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
  readonly given_name?: string
  readonly family_name?: string
  readonly [claim: string]: unknown
}

/** The claims of a request: {@link AccessTokenClaims}, and `KeycloakTypes['claims']` where you declared some. */
export type Claims = KeycloakTypes extends { claims: infer Declared } ? AccessTokenClaims & Readonly<Declared> : AccessTokenClaims
