import type { Claims } from '../jws.js'
import type { TokenSpec } from '../token-spec.js'

/** Somebody who can log in, with the same roles, groups and organizations as a `TokenSpec` has. */
export interface LoginUser extends Pick<TokenSpec, 'roles' | 'realmRoles' | 'clientRoles' | 'groups' | 'organizations'> {
  /** The login page shows the password: it is no secret. */
  password: string
  /** Merged over the claims of the user's tokens. */
  claims?: Claims
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
  /** The lifetime of a code, in seconds. Default 60. */
  codeLifespan?: number
}

/** The options with their defaults; a function for each value that may change. */
export interface LoginSettings {
  readonly clientId: string
  readonly codeLifespan: number
  readonly levels: readonly string[]
  readonly users: ReadonlyMap<string, LoginUser>
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
  return {
    clientId,
    codeLifespan,
    levels,
    users,
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

/** RFC 6749 section 3.1.2. URIs are compared as they are, so a wildcard would have no effect; schemes other than http have no origin. */
function isRedirectUri (uri: unknown): boolean {
  return typeof uri === 'string' && URL.canParse(uri) && /^https?:[^*#]+$/.test(uri)
}

function wrong (problem: string): TypeError {
  return new TypeError(`createTestRealm(): login.${problem}.`)
}
