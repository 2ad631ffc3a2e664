import type { KeycloakTypes } from './declared.js'

/**
 * `request.user` without `syncUser`, with the default `userIdField` and `claimMapping`. If yours is another, declare it:
 * {@link KeycloakTypes}.
 */
export interface DefaultUser {
  /** `preferred_username`, which can change in Keycloak. */
  readonly username: string
  /** `given_name` */
  readonly firstName?: string
  /** `family_name` */
  readonly lastName?: string
  /** `email`. It is verified only if `request.auth.email_verified` is `true`. */
  readonly email?: string
}

/** The user of a request: `KeycloakTypes['user']` if declared, else `KeycloakTypes['profile']` if declared, else {@link DefaultUser}. */
export type User = KeycloakTypes extends { user: infer Declared } ? Declared
  : KeycloakTypes extends { profile: infer Declared } ? Readonly<Declared>
    : DefaultUser

/** The roles of one client or of the realm, as Keycloak writes them. */
export interface RoleList {
  /** The names of the roles. */
  readonly roles?: readonly string[]
}

/** The claims that RFC 7519 section 4.1, RFC 9068 and Keycloak give an access token. */
export interface KnownClaims {
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
  /** The type, by Keycloak: `Bearer`, or absent. */
  readonly typ?: string
  /** Authorized party: the id of the client that requested the token. */
  readonly azp?: string
  /** The id of the user's session in Keycloak; absent for client credentials. */
  readonly sid?: string
  /** Space-separated scopes. */
  readonly scope?: string
  /** The roles of the realm. */
  readonly realm_access?: RoleList
  /** The roles of clients, by client id. */
  readonly resource_access?: Readonly<Record<string, RoleList | undefined>>
  /** The user's name at login, which can change; that of a service account begins with `service-account-`. */
  readonly preferred_username?: string
  /** The user's address, by the scope `email`. */
  readonly email?: string
  /** Has Keycloak verified that the address is the user's (OpenID Connect Core 1.0 section 5.1)? */
  readonly email_verified?: boolean
  /** First and last name, by the scope `profile`. */
  readonly name?: string
  /** First name. */
  readonly given_name?: string
  /** Last name. */
  readonly family_name?: string
}

/** The claims of a verified access token: {@link KnownClaims}, and any other as `unknown`. Deeply frozen. */
export interface AccessTokenClaims extends KnownClaims {
  readonly [claim: string]: unknown
}

/**
 * The claims of a request: {@link AccessTokenClaims}; or, if `KeycloakTypes['claims']` is declared, those and
 * {@link KnownClaims}, and no other.
 */
export type Claims = KeycloakTypes extends { claims: infer Declared } ? KnownClaims & Readonly<Declared> : AccessTokenClaims
