import type { FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import type { AdminUrlOptions, BackchannelLogoutOptions, RevocationOptions } from './revocation.js'
import type { AccessTokenClaims, Claims, KeycloakTypes, User } from './user.js'

/** The asymmetric signature algorithms a realm can use (RFC 7518 section 3.1, RFC 8037). */
export type Algorithm =
  | 'RS256' | 'RS384' | 'RS512'
  | 'PS256' | 'PS384' | 'PS512'
  | 'ES256' | 'ES384' | 'ES512'
  | 'EdDSA'

/** What `claimMapping` made of the claims: `userIdField` and the mapped claims that are present. Frozen. */
export type Profile = Readonly<Record<string, unknown>>

/** What a `syncUser` may return. Without a `user` in KeycloakTypes that is any object but a promise of something else. */
export type SyncedUser = KeycloakTypes extends { user: unknown } ? User : object & { readonly then?: never }

/** Limits of the calls to the introspection endpoint. */
export interface IntrospectionOptions {
  /** Deadline of a whole call, in milliseconds. Default 5000. */
  timeout?: number
  /** How long an answer may serve other requests with the same token, in milliseconds. Default 0: each request asks anew. */
  cacheTtl?: number
  /** How many calls may be under way or wait for a connection; a further one is 503 at once. Default 1000. */
  maxPending?: number
}

/** Life of the realm's keys. All in milliseconds. */
export interface JwksOptions {
  /** How long a fetched key set is used before it is fetched anew. Default 600000 (10 minutes). */
  maxAge?: number
  /** Least time between two refreshes that unknown kids force. Default 10000. */
  cooldown?: number
  /** Deadline of a whole fetch, slow drips included. Default 5000. */
  timeout?: number
  /** How long after the last good fetch keys may live while Keycloak cannot be reached. Default 3600000 (1 hour). */
  maxStale?: number
  /**
   * Fetch the keys at start: `'warn'` logs a failure and goes on, `'require'` stops the start. Default `false`: with
   * `startCheck`, or the first request that needs them.
   */
  preload?: false | 'warn' | 'require'
}

/** The memory of verified tokens. */
export interface CacheOptions {
  /** How many tokens are kept. Default 1000. */
  max?: number
  /** How many bytes they and their claims may take, about. Default 16 MiB. */
  maxBytes?: number
}

/**
 * What the check at start can find; the member `check` of the line it logs. docs/troubleshooting.md says what each means
 * and which setting mends it.
 */
export type StartFinding =
  | 'unreachable' | 'tls' | 'redirect' | 'not_keycloak' | 'realm_unknown'
  | 'issuer_mismatch' | 'issuer_follows_host' | 'keys' | 'algorithms'
  | 'credentials' | 'introspection' | 'audience' | 'clock' | 'units'

/** Caps on what is looked at at all. What is over them is refused: a token 401, an answer of Keycloak's 503. */
export interface Limits {
  /** Characters of a token. Default 32768; Node takes 16384 bytes of headers unless told otherwise. */
  tokenLength?: number
  /** How deep the JSON of tokens and of introspection may nest. Default 32. */
  jsonDepth?: number
  /** Bytes of the key set. Default 524288. */
  keySetBytes?: number
  /** Bytes of an introspection answer. Default 131072. */
  introspectionBytes?: number
}

/** The options of the plugin. A wrong, unknown or misspelled one stops the start with one sentence. */
export interface KeycloakOptions {
  /** The full URL of the realm, exactly as tokens carry it in `iss`, such as `https://sso.example.com/realms/acme`. */
  issuer: string
  /** Base URL of the calls to Keycloak when it differs from the public issuer, as inside a container network. Default: `issuer`. */
  serverUrl?: string
  /** This API's client in Keycloak. Default `account`. */
  clientId?: string
  /**
   * That client's secret, which introspection needs. A function is asked at the first call, and anew when Keycloak
   * refuses what it gave, so that a secret is changed without a restart.
   */
  clientSecret?: string | (() => string | Promise<string>)
  /** The `aud` a token must have: one of these. Default `null`: unchecked, with a warning at start. */
  audience?: string | readonly string[] | null
  /** The signature algorithms that are accepted; `none` and `HS*` never are. Default `['RS256']`. */
  algorithms?: Algorithm | readonly Algorithm[]
  /** Where in the claims the roles are: a dotted string, an array of segments, or a function. Default `['resource_access', clientId, 'roles']`. */
  permissionPath?: string | readonly string[] | ((claims: AccessTokenClaims) => unknown)
  /** The key of `request.user` that identifies the user. Default `username`. */
  userIdField?: string
  /** The claim it comes from. Prefer `sub`, which never changes. Default `preferred_username`. */
  userIdClaim?: string
  /** Keys of `request.user` and the claims they come from. Default: firstName, lastName, email, username. */
  claimMapping?: Readonly<Record<string, string>>
  /** `false` skips the signature, for local debugging alone; refused when NODE_ENV is production. Default `true`. */
  verifySignature?: boolean
  /** Ask Keycloak about the token at each request (RFC 7662); needs `clientSecret`. Default `false`. */
  verifyTokensWithKeycloak?: boolean
  /** `false` skips the TLS checks of the calls to Keycloak. Default `true`; prefer `ca`. */
  verifyCertificate?: boolean
  /** PEM of a private certificate authority for the calls to Keycloak. */
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
  /** An undici 7 dispatcher for the calls to Keycloak (proxies, client certificates). You close it. */
  dispatcher?: Dispatcher
  /** Seconds of clock skew that exp, nbf and iat may be off. Default 0. */
  leeway?: number
  /**
   * Called on every authenticated request with what `claimMapping` made; what it returns becomes `request.user`.
   * `null`, or a user with `isActive: false`, is 401 `user_inactive`. What it throws is your application's error.
   */
  syncUser?: (profile: Profile, context: { claims: Claims, request: FastifyRequest }) => SyncedUser | null | Promise<SyncedUser | null>
  /** Where the token is, when not in the Authorization header; `null` is an anonymous request. Synchronous. */
  extractToken?: (request: FastifyRequest) => string | null | undefined
  /** Deny anonymous callers on every route but `public: true` and `keycloak: false`. Default `false`. */
  requireAuthentication?: boolean
  /**
   * One look at Keycloak at start: its issuer, keys, clock, and with introspection the client's credentials. `'warn'`
   * looks in the background once the server listens, and logs what is wrong with the setting that mends it; `'require'`
   * looks before the start goes on, and stops it. Default `'warn'`.
   */
  startCheck?: 'warn' | 'require' | false
  introspection?: IntrospectionOptions
  jwks?: JwksOptions
  /** Verified tokens kept in memory; `false` switches it off. */
  cache?: CacheOptions | false
  /** Adds a POST route that takes Keycloak's back-channel logouts: a logged-out user's tokens are refused from then on. */
  backchannelLogout?: BackchannelLogoutOptions
  /** Adds the POST routes that take the pushes of Keycloak's admin console: not-before, and the logout of all. */
  adminUrl?: AdminUrlOptions
  /** How logouts are remembered, and spread to other instances. */
  revocation?: RevocationOptions
  limits?: Limits
}
