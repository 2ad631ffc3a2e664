import type { FastifyRequest } from 'fastify'
import type { KeycloakTypes } from './declared.js'
import type { AdminUrlOptions, BackchannelLogoutOptions, RevocationOptions } from './revocation.js'
import type { Claims, KnownClaims, User } from './user.js'

/** The asymmetric signature algorithms a realm can use (RFC 7518 section 3.1, RFC 8037). */
export type Algorithm =
  | 'RS256' | 'RS384' | 'RS512'
  | 'PS256' | 'PS384' | 'PS512'
  | 'ES256' | 'ES384' | 'ES512'
  | 'EdDSA'

/** The name of a claim: one that Keycloak writes, or a mapper of yours. */
export type ClaimName = keyof KnownClaims | (string & {})

/**
 * Where a claim is: its name, or the way to it within other claims as a dotted string (`'address.locality'`) or an array
 * of segments, which names with dots need (`['https://example.com/tenant']`).
 */
export type ClaimPath = ClaimName | readonly [string, ...string[]]

/** A key of what `claimMapping` makes: one of `KeycloakTypes['profile']` where you declared it, else any string. */
export type ProfileKey = KeycloakTypes extends { profile: infer Declared } ? keyof Declared & string : string

/** Keys of {@link Profile}, and the claims they come from. */
export type ClaimMapping = string extends ProfileKey
  ? Readonly<Record<string, ClaimPath>>
  : { readonly [Key in ProfileKey]?: ClaimPath }

/**
 * What `claimMapping` made of the claims: `userIdField` and the mapped claims that are present. Frozen. Its type is
 * `KeycloakTypes['profile']` where you declared it.
 */
export type Profile = KeycloakTypes extends { profile: infer Declared } ? Readonly<Declared> : Readonly<Record<string, unknown>>

/** Any object but a promise: a forgotten `await` is no user. */
export type AnyUser = object & { readonly then?: never }

/** What a `syncUser` may return. Without a `user` or `profile` in KeycloakTypes that is any object but a promise of something else. */
export type SyncedUser = KeycloakTypes extends { user: unknown } | { profile: unknown } ? User : AnyUser

/** What a `syncUser` has beside the profile. */
export interface SyncUserContext {
  /** The verified claims, deeply frozen. */
  readonly claims: Claims
  /** The request; its `user` is not set yet. */
  readonly request: FastifyRequest
}

/**
 * Finds or makes the user of a request in your database. `null`, or a user with `isActive: false`, is 401
 * `user_inactive`. What it throws is your application's error.
 *
 * @example
 * async syncUser ({ id, email }) {
 *   return await db.users.upsert({ where: { id }, create: { id, email }, update: { email } })
 * }
 */
export type SyncUser = (profile: Profile, context: SyncUserContext) => SyncedUser | null | Promise<SyncedUser | null>

/** Finds the token of a request; `null` or `undefined` is an anonymous request. Synchronous. */
export type ExtractToken = (request: FastifyRequest) => string | null | undefined

/** Finds the roles in the claims; what is no list is no roles. Synchronous. */
export type RoleSelector = (claims: Claims) => unknown

/** Gives the client's secret. */
export type ClientSecretProvider = () => string | Promise<string>

/** Limits of the calls to the introspection endpoint. */
export interface IntrospectionOptions {
  /**
   * Deadline of a whole call, in milliseconds; a request that reaches it is 503.
   * @default 5000
   */
  timeout?: number
  /**
   * How long an answer may serve other requests with the same token, in milliseconds. 0: each request asks anew.
   * @default 0
   */
  cacheTtl?: number
  /**
   * How many calls may be under way or wait for a connection; requests that share one count once, and there may be as many of
   * these. A further call takes the place of one of the user who has most, if that is at least two more than its own user
   * has, or is 503 at once.
   * @default 1000
   */
  maxPending?: number
  /**
   * Claims that restrict, such as `['readonly']`, whose mapper in Keycloak has "Add to token introspection" off: if an
   * answer has none of that name, the token's stays. All other claims that an answer lacks are gone from `request.auth`, since
   * withdrawn roles vanish so. `act` and `may_act` always stay. Claims that grant (`resource_access`, `realm_access`,
   * `groups`, `organization`, `scope`) are refused.
   * @default []
   */
  keepClaims?: readonly string[]
}

/** Life of the realm's keys. All in milliseconds. */
export interface JwksOptions {
  /**
   * How long a fetched key set is used, in milliseconds. It is fetched anew in the background before that.
   * @default 600000 (10 minutes)
   */
  maxAge?: number
  /**
   * How long after a refresh that did not find the kid it was made for no further one is forced, in milliseconds. A
   * request with another unknown kid, as long as the realm's are, waits for its end, 1000 ms at most; where it is farther
   * away, it is 401. A refresh
   * that finds its kid does not count, and neither does one that comes by itself.
   * @default 1000
   */
  cooldown?: number
  /**
   * Deadline of a whole fetch, slow drips included, in milliseconds.
   * @default 5000
   */
  timeout?: number
  /**
   * How long after the last good fetch keys may live while Keycloak cannot be reached, in milliseconds.
   * @default 3600000 (1 hour)
   */
  maxStale?: number
  /**
   * Fetch the keys at start: `'warn'` logs a failure and goes on, `'require'` stops the start. `false`: with
   * `startCheck`, or the first request that needs them.
   * @default false
   */
  preload?: false | 'warn' | 'require'
}

/** The memory of verified tokens. A token falls with its key, and at its `exp`. */
export interface CacheOptions {
  /**
   * How many tokens are kept.
   * @default 1000
   */
  max?: number
  /**
   * How many bytes they and their claims may take, about.
   * @default 16777216 (16 MiB)
   */
  maxBytes?: number
}

/** A dispatcher of undici 7 or 8. A shape of its own, since the types of one version do not fit those of another. */
export type UndiciDispatcher = {
  dispatch (options: object, handler: object): boolean
  request (options: object): Promise<object>
  compose (...interceptors: never[]): object
}

/**
 * What the check at start can find; the member `check` of the line it logs. docs/troubleshooting.md says what each means
 * and which setting mends it.
 */
export type StartCheckCode =
  | 'unreachable' | 'tls' | 'redirect' | 'not_keycloak' | 'realm_unknown' | 'realm_disabled' | 'https_required'
  | 'issuer_mismatch' | 'issuer_follows_host' | 'keys' | 'algorithms'
  | 'credentials' | 'introspection' | 'audience' | 'clock' | 'units'

/**
 * What the start warns of that the options and the routes alone tell; the member `code` of the line it logs.
 * docs/troubleshooting.md says what each means and what mends it.
 */
export type StartWarning =
  | 'signature_unchecked' | 'certificate_unchecked' | 'audience_unchecked' | 'account_roles' | 'email_as_id'
  | 'client_secret_unused' | 'logout_of_own_client' | 'early_routes' | 'routes_outside' | 'unknown_rules'
  | 'middleware_first' | 'middleware_outside' | 'token_source_late'

/** Caps on what is looked at at all. What is over them is refused: a token 401, an answer of Keycloak's 503. */
export interface Limits {
  /**
   * Characters of a token. Node takes 16384 bytes of headers unless told otherwise.
   * @default 32768
   */
  tokenLength?: number
  /**
   * How deep the JSON of tokens and of introspection may nest.
   * @default 32
   */
  jsonDepth?: number
  /**
   * Bytes of the key set.
   * @default 524288
   */
  keySetBytes?: number
  /**
   * Bytes of an introspection answer.
   * @default 131072
   */
  introspectionBytes?: number
}

/**
 * The options of the plugin. A wrong, unknown or misspelled one stops the start with one sentence that names it.
 *
 * @example
 * await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' })
 */
export interface KeycloakOptions {
  /**
   * The full URL of the realm, exactly as tokens carry it in `iss`, such as `https://sso.example.com/realms/acme`. A name
   * with blanks or umlauts is encoded, as Keycloak does it: `https://sso.example.com/realms/my%20realm`.
   */
  issuer: string
  /**
   * Base URL of the calls to Keycloak when it differs from the public issuer, as inside a container network:
   * `http://keycloak:8080/realms/acme`.
   * @default issuer
   */
  serverUrl?: string
  /**
   * This API's client in Keycloak: whose roles are read, and who asks for introspection. Left out, roles are read from
   * Keycloak's own client, whose `view-profile` every user has: a warning at start, unless `permissionPath` leads elsewhere.
   * @default 'account'
   */
  clientId?: string
  /**
   * That client's secret, which introspection needs. A function is asked at the first call, and anew when Keycloak
   * refuses what it gave, so that a secret is changed without a restart.
   */
  clientSecret?: string | ClientSecretProvider
  /**
   * The `aud` a token must have: one of these, most often your client's id. `null`: unchecked, with a warning at start,
   * since tokens made for other APIs of the realm are then accepted.
   * @default null
   */
  audience?: string | readonly string[] | null
  /**
   * The signature algorithms that are accepted; `none` and `HS*` never are.
   * @default ['RS256']
   */
  algorithms?: Algorithm | readonly Algorithm[]
  /**
   * Where in the claims the roles are: a dotted string, an array of segments for names that contain a dot, or a function.
   * @default ['resource_access', clientId, 'roles']
   * @example
   * permissionPath: 'realm_access.roles'
   */
  permissionPath?: string | readonly string[] | RoleSelector
  /**
   * The key of `request.user` that identifies the user. With another one than the default, declare your user's type:
   * {@link KeycloakTypes}.
   * @default 'username'
   */
  userIdField?: ProfileKey
  /**
   * The claim it comes from, by its name or path. Prefer `sub`, which never changes. In a claim of a
   * mapper of yours a whole number is taken as the text of its digits, up to 2^53: 4711 and "4711" are the same user. A token
   * where it is missing, empty or anything else is 401, and so is a number where OpenID Connect has a string (`sub`,
   * `preferred_username`, `email`).
   * @default 'preferred_username'
   */
  userIdClaim?: ClaimPath
  /**
   * With `userIdClaim: 'email'`: take tokens whose `email_verified` is not `true` as well. Only where nobody can give
   * themselves an address in this realm, since they would be whoever has it.
   * @default false
   */
  acceptUnverifiedEmail?: boolean
  /**
   * Keys of `request.user` and the claims they come from, by name or path: `{ email: 'email', city: 'address.locality',
   * tenant: ['https://example.com/tenant'] }`. Claims that are absent or null are left out.
   * @default { firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username' }
   */
  claimMapping?: ClaimMapping
  /**
   * `false` skips the signature, for local debugging alone; warned of, and refused when NODE_ENV names production
   * (`production`, `prod`, `Production`).
   * @default true
   */
  verifySignature?: boolean
  /**
   * Ask Keycloak about the token at each request (RFC 7662), so that logouts and withdrawn roles count at once; needs
   * `clientSecret`. An outage of Keycloak is then 503.
   * @default false
   */
  verifyTokensWithKeycloak?: boolean
  /**
   * `false` skips the TLS checks of the calls to Keycloak, with a warning. Prefer `ca`.
   * @default true
   */
  verifyCertificate?: boolean
  /** PEM of a private certificate authority for the calls to Keycloak: its text, not its path. */
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
  /**
   * A dispatcher of undici 7 or 8 for the calls to Keycloak (proxies, client certificates). With fewer than 68 connections
   * calls wait for them in no fair order. You close it.
   */
  dispatcher?: UndiciDispatcher
  /**
   * Seconds of clock skew that exp, nbf and iat may be off.
   * @default 0
   */
  leeway?: number
  /**
   * Called on every authenticated request with what `claimMapping` made; what it returns becomes `request.user`.
   * `null`, or a user with `isActive: false`, is 401 `user_inactive`. What it throws is your application's error.
   * Declare what it returns: {@link KeycloakTypes}.
   */
  syncUser?: SyncUser
  /**
   * Where the token is, when not in the Authorization header; `null` is an anonymous request. Synchronous. Whatever sets what
   * it reads, such as @fastify/cookie, must be registered before this plugin.
   * @default bearerToken
   * @example
   * extractToken: (request) => bearerToken(request) ?? request.cookies.token
   */
  extractToken?: ExtractToken
  /**
   * Deny anonymous callers on every route but `public: true` and `keycloak: false`.
   * @default false
   */
  requireAuthentication?: boolean
  /**
   * One look at Keycloak at start: its issuer, keys, clock, and with introspection the client's credentials. `'warn'`
   * looks in the background once the server listens, and logs what is wrong with the setting that mends it; `'require'`
   * looks before the start goes on, and stops it.
   * @default 'warn'
   */
  startCheck?: 'warn' | 'require' | false
  /** Limits of the calls that `verifyTokensWithKeycloak` makes. */
  introspection?: IntrospectionOptions
  /** Life of the realm's keys. */
  jwks?: JwksOptions
  /**
   * Verified tokens kept in memory; `false` switches it off. The bounds hold for kept answers of introspection as well.
   * @default { max: 1000, maxBytes: 16777216 }
   */
  cache?: CacheOptions | false
  /** Adds a POST route that takes Keycloak's back-channel logouts: a logged-out user's tokens are refused from then on. */
  backchannelLogout?: BackchannelLogoutOptions
  /** Adds the POST routes that take the pushes of Keycloak's admin console: not-before, and the logout of all. */
  adminUrl?: AdminUrlOptions
  /** How logouts are remembered, and spread to other instances. */
  revocation?: RevocationOptions
  /** Caps on what is looked at at all. */
  limits?: Limits
}
