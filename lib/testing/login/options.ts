import type { Claims } from '../jws.js'
import type { TokenSpec } from '../token-spec.js'
import { isObject } from '../../util/strict-json.js'

/** Somebody who can log in, with the same roles, groups and organizations as a `TokenSpec` has. */
export interface LoginUser extends Pick<TokenSpec, 'roles' | 'realmRoles' | 'clientRoles' | 'groups' | 'organizations'> {
  /** The login page shows the password: it is no secret. */
  password: string
  /** Merged over the claims of the user's tokens. */
  claims?: Claims
}

/** A scope that clients ask for at the login: a client scope of Keycloak's, of the type *Optional*. */
export interface LoginScope {
  /** Added to `aud` of the tokens with this scope: its mapper *Audience*, *Included Custom Audience*. Default: nothing. */
  audience?: string | readonly string[]
}

/** The clients that may register themselves. */
export interface RegistrationOptions {
  /** The hosts of redirect URIs, and of the pages that may register by CORS: Keycloak's policy *Trusted Hosts*. Default: this machine. */
  trustedHosts?: readonly string[]
}

/** A value, or a function that is called for it each time, for example because a port is known only when the application listens. */
type Asked<T> = T | (() => T)

/** The `login` of `createTestRealm`: a login page, and the authorization code flow with PKCE for one public client. */
export interface LoginOptions {
  /** The client for which users log in. Default `web`. */
  clientId?: string
  /** The allowed addresses after a login, compared character by character. Pages of these origins may call by CORS. */
  redirectUris: Asked<readonly string[]>
  /** The allowed addresses after a logout. Default: `redirectUris`. */
  postLogoutRedirectUris?: Asked<readonly string[]>
  /** The users who can log in, by username. */
  users: Readonly<Record<string, LoginUser>>
  /** The address that gets a logout token when a session ends (OpenID Connect Back-Channel Logout 1.0). Default: none. */
  backchannelLogoutUrl?: Asked<string>
  /**
   * The levels that a client can ask for by `acr_values` (OpenID Connect Core section 3.1.2.1), from low to high: the first
   * asks for the password, the others for a code too, which the page shows. Default `['silver', 'gold']`.
   */
  levels?: readonly string[]
  /**
   * The scopes that a client can ask for beside those of each new realm, such as
   * `{ 'notes:read': { audience: 'http://127.0.0.1:3000/mcp' } }`. Another scope is `invalid_scope` then. Default: every scope is
   * granted, and none changes `aud`.
   */
  scopes?: Asked<Readonly<Record<string, LoginScope>>>
  /**
   * The URLs that the realm's `clientId` has as `resource_url`. A client that sends one of them as `resource` (RFC 8707) gets tokens
   * for that audience alone, as by Keycloak's feature `resource-indicators`. Default: none, and `resource` is ignored, as without the
   * feature.
   */
  resources?: Asked<readonly string[]>
  /** Lets clients register themselves, without a token (RFC 7591). At most 200 of them. Default `false`. */
  registration?: boolean | RegistrationOptions
  /** The lifetime of a code, in seconds. Default 60. */
  codeLifespan?: number
}

/** The options with their defaults; a function for each value that may change. */
export interface LoginSettings {
  readonly clientId: string
  readonly codeLifespan: number
  readonly levels: readonly string[]
  readonly users: ReadonlyMap<string, LoginUser>
  /** `undefined` if clients cannot register. */
  readonly trustedHosts: readonly string[] | undefined
  /** `undefined` if every scope is granted. */
  scopes (): Readonly<Record<string, LoginScope>> | undefined
  resources (): readonly string[]
  redirectUris (): readonly string[]
  postLogoutRedirectUris (): readonly string[]
  backchannelLogoutUrl (): string | undefined
}

/**
 * The options with their defaults.
 * @throws {TypeError} one sentence that names the problem
 */
export function settingsOf (options: LoginOptions): LoginSettings {
  const { clientId = 'web', codeLifespan = 60, levels = ['silver', 'gold'], redirectUris, postLogoutRedirectUris = redirectUris, backchannelLogoutUrl } = options
  const users = new Map(Object.entries(options.users ?? {}))
  if (users.size === 0) throw wrong('users must have at least one user, such as { alice: { password: "alice-pw" } }')
  if (typeof redirectUris !== 'function') checked('redirectUris', redirectUris)
  if (typeof options.scopes !== 'function') checkedScopes(options.scopes)
  if (typeof options.resources !== 'function') checked('resources', options.resources ?? [])
  return {
    clientId,
    codeLifespan,
    levels,
    users,
    trustedHosts: trustedHostsOf(options.registration),
    scopes: () => checkedScopes(read(options.scopes)),
    resources: () => checked('resources', read(options.resources) ?? []),
    redirectUris: () => checked('redirectUris', read(redirectUris)),
    postLogoutRedirectUris: () => checked('postLogoutRedirectUris', read(postLogoutRedirectUris)),
    backchannelLogoutUrl: () => read(backchannelLogoutUrl)
  }
}

function read<T> (asked: Asked<T>): T {
  return typeof asked === 'function' ? (asked as () => T)() : asked
}

function checked (option: string, uris: readonly string[]): readonly string[] {
  if (Array.isArray(uris) && uris.every(isRedirectUri)) return uris
  throw wrong(`${option} must be an array of whole http URLs without "*" and "#", such as ["http://127.0.0.1:3000/"]`)
}

function checkedScopes (scopes: LoginOptions['scopes'] & object | undefined): Readonly<Record<string, LoginScope>> | undefined {
  if (scopes === undefined || (isObject(scopes) && Object.values(scopes).every(isScope))) return scopes
  throw wrong("scopes must be an object such as { 'notes:read': { audience: 'http://127.0.0.1:3000/mcp' } }")
}

function isScope (scope: unknown): boolean {
  return isObject(scope) && Object.keys(scope).every((key) => key === 'audience') && [scope.audience ?? []].flat().every((each) => typeof each === 'string')
}

/** This machine, as the host of a URL names it. */
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost']

function trustedHostsOf (registration: LoginOptions['registration']): readonly string[] | undefined {
  if (registration === undefined || registration === false) return undefined
  const trustedHosts: unknown = registration === true ? LOOPBACK : isObject(registration) ? registration.trustedHosts ?? LOOPBACK : undefined
  if (Array.isArray(trustedHosts) && trustedHosts.every((host) => typeof host === 'string')) return trustedHosts
  throw wrong("registration must be true, or an object such as { trustedHosts: ['127.0.0.1', 'localhost'] }")
}

/** RFC 6749 section 3.1.2. URIs are compared as they are, so a wildcard would have no effect; schemes other than http have no origin. */
export function isRedirectUri (uri: unknown): boolean {
  return typeof uri === 'string' && URL.canParse(uri) && /^https?:[^*#]+$/.test(uri)
}

function wrong (problem: string): TypeError {
  return new TypeError(`createTestRealm(): login.${problem}.`)
}
