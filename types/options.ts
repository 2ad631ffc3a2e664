import type { FastifyRequest } from 'fastify'
import type { Algorithm } from './algorithm.js'
import type { ClientAssertionKey, ClientAssertionProvider, ClientCertificate, ClientCertificateProvider, ClientSecretProvider } from './client-authentication.js'
import type { AcrName, IssuerName, KeycloakTypes, ScopeName } from './declared.js'
import type { DpopOptions } from './dpop.js'
import type { MtlsOptions } from './mtls.js'
import type { ResourceOptions } from './resource.js'
import type { AdminUrlOptions, BackchannelLogoutOptions, RevocationOptions } from './revocation.js'
import type { UmaOptions } from './uma.js'
import type { Claims, KnownClaims, User } from './user.js'

export type { Algorithm }

/** The name of a claim that Keycloak or one of your mappers writes. */
export type ClaimName = keyof KnownClaims | (string & {})

/**
 * The path of a claim: its name, or its path within other claims as a dotted string (`'address.locality'`) or an array of
 * segments, which names with dots need (`['https://example.com/tenant']`).
 */
export type ClaimPath = ClaimName | readonly [string, ...string[]]

/** A key of {@link Profile}: one of `KeycloakTypes['profile']` if declared, else any string. */
export type ProfileKey = KeycloakTypes extends { profile: infer Declared } ? keyof Declared & string : string

/** Keys of {@link Profile}, and the claims they come from. */
export type ClaimMapping = string extends ProfileKey
  ? Readonly<Record<string, ClaimPath>>
  : { readonly [Key in ProfileKey]?: ClaimPath }

/**
 * The result of `claimMapping`: `userIdField` and the mapped claims that are present. Frozen. Its type is
 * `KeycloakTypes['profile']` if declared.
 */
export type Profile = KeycloakTypes extends { profile: infer Declared } ? Readonly<Declared> : Readonly<Record<string, unknown>>

/** Any object but a promise, so that a forgotten `await` does not compile. */
export type AnyUser = object & { readonly then?: never }

/** The user that a `syncUser` may return: {@link User} if `KeycloakTypes` has `user` or `profile`, else any object but a promise. */
export type SyncedUser = KeycloakTypes extends { user: unknown } | { profile: unknown } ? User : AnyUser

/** The second parameter of a `syncUser`. */
export interface SyncUserContext {
  /** The verified claims, deeply frozen. */
  readonly claims: Claims
  /** The request; its `user` is not set yet. */
  readonly request: FastifyRequest
  /** The name of the issuer. With several, a `sub` is unique together with it alone. */
  readonly issuer: IssuerName
}

/**
 * Finds or makes the user of a request in your database. If it returns `null` or a user with `isActive: false`, the answer
 * is 401 `user_inactive`. An error that it throws is your application's error.
 *
 * @example
 * async syncUser ({ id, email }) {
 *   return await db.users.upsert({ where: { id }, create: { id, email }, update: { email } })
 * }
 */
export type SyncUser = (profile: Profile, context: SyncUserContext) => SyncedUser | null | Promise<SyncedUser | null>

/** Finds the token of a request; `null` or `undefined` makes the request anonymous. Synchronous. */
export type ExtractToken = (request: FastifyRequest) => string | null | undefined

/** Finds the name of the issuer that a request is tied to; `null` ties it to none. Synchronous. */
export type SelectIssuer = (request: FastifyRequest) => IssuerName | null

/** Scopes, and the scopes that each of them stands for. */
export type ScopeImplications = { readonly [Scope in ScopeName]?: readonly ScopeName[] }

/** Finds the roles in the claims; a value that is not an array is no roles. Synchronous. */
export type RoleSelector = (claims: Claims) => unknown

/** Limits of the calls to the introspection endpoint. */
export interface IntrospectionOptions {
  /**
   * Deadline of a whole call, in milliseconds; a request that reaches it is 503.
   * @default 5000
   */
  timeout?: number
  /**
   * How long an answer may serve other requests with the same token, in milliseconds. 0: Keycloak is asked at each request.
   * @default 0
   */
  cacheTtl?: number
  /**
   * The most calls that may run or wait for a connection. Requests that share one call count once, and at most as many
   * requests may share calls. A further call replaces a call of the user who has the most calls, if that user has at least
   * two more than its own user; else it is 503 without a wait.
   * @default 1000
   */
  maxPending?: number
  /**
   * Claims that restrict, such as `['readonly']`, whose mapper in Keycloak has "Add to token introspection" off: if an answer
   * lacks such a claim, the claim of the token stays. All other claims that an answer lacks are removed from `request.auth`,
   * because that is how Keycloak withdraws roles. `act` and `may_act` always stay. The option may not name claims that grant:
   * `resource_access`, `realm_access`, `groups`, `organization`, `scope`.
   * @default []
   */
  keepClaims?: readonly string[]
}

/** Limits of `serviceToken`, `exchange` and `dispatcher`, for each realm. */
export interface OutboundOptions {
  /**
   * Deadline of a whole call to Keycloak, in milliseconds; who reaches it gets 503.
   * @default 5000
   */
  timeout?: number
  /**
   * The most calls that may run or wait for a connection; the next one is 503. Callers who want the same token share one call.
   * @default 1000
   */
  maxPending?: number
  /**
   * How many tokens are kept.
   * @default 1000
   */
  max?: number
  /**
   * The bytes that they may take, an estimate.
   * @default 16777216 (16 MiB)
   */
  maxBytes?: number
}

/** The lifetime of the realm's keys, and the fetches of them. */
export interface JwksOptions {
  /**
   * How long a fetched key set is used, in milliseconds. Before that time is over, it is fetched again in the background.
   * @default 600000 (10 minutes)
   */
  maxAge?: number
  /**
   * How long the plugin does not fetch the keys for an unknown `kid`, in milliseconds, after such a fetch did not find its
   * `kid`. A request with another unknown `kid` of the length that the realm's have waits until the cooldown is over, or is
   * 401 if that takes longer than 1000 ms. A fetch that finds its `kid` starts no cooldown, and neither does a regular one.
   * @default 1000
   */
  cooldown?: number
  /**
   * Deadline of a whole fetch from the connection to the last byte, in milliseconds.
   * @default 5000
   */
  timeout?: number
  /**
   * How long the keys are used after the last good fetch while Keycloak cannot be reached, in milliseconds.
   * @default 3600000 (1 hour)
   */
  maxStale?: number
  /**
   * Fetch the keys at start: `'warn'` logs a failure and continues, `'require'` stops the start. `false`: the keys are
   * fetched by `startCheck`, or by the first request that needs them.
   * @default false
   */
  preload?: false | 'warn' | 'require'
}

/** The cache of verified tokens. A cached token is valid no longer than its key and its `exp`. */
export interface CacheOptions {
  /**
   * How many tokens are kept.
   * @default 50000
   */
  max?: number
  /**
   * The bytes that the tokens, their claims and what is made of them may take, an estimate rounded up. A usual token counts 4 kB. The
   * default is smaller if the process may use less than 1.5 GiB for its heap: an eighth of it.
   * @default 201326592 (192 MiB)
   */
  maxBytes?: number
}

/** A dispatcher of undici 7 or 8. Its own type, because the types of one version of undici do not fit those of another. */
export type UndiciDispatcher = {
  dispatch (options: object, handler: object): boolean
  request (options: object): Promise<object>
  compose (...interceptors: never[]): object
}

/**
 * The findings of the check at start: the member `check` of the line that it logs. docs/troubleshooting.md explains each
 * finding and the setting that corrects it.
 */
export type StartCheckCode =
  | 'unreachable' | 'tls' | 'redirect' | 'not_keycloak' | 'realm_unknown' | 'realm_disabled' | 'https_required'
  | 'issuer_mismatch' | 'issuer_follows_host' | 'keys' | 'algorithms'
  | 'credentials' | 'introspection' | 'audience' | 'clock' | 'units'

/** The risks of options that the start warns of, and that `acceptRisks` silences. docs/production.md explains each risk and its cure. */
export type KeycloakRisk =
  | 'signature_unchecked' | 'certificate_unchecked' | 'audience_unchecked' | 'account_roles' | 'email_as_id'
  | 'client_secret_unused' | 'logout_of_own_client' | 'dpop_url_unknown' | 'mtls_without_tls'
  | 'user_id_mutable' | 'http_unencrypted' | 'token_lifetime_unlimited' | 'replay_store_local'

/**
 * The warnings at start about options and routes: the member `code` of the log line. docs/troubleshooting.md explains each
 * warning and its cure.
 */
export type StartWarning =
  | KeycloakRisk | 'early_routes' | 'routes_outside' | 'unknown_rules'
  | 'middleware_first' | 'middleware_outside' | 'token_source_late' | 'resource_unserved' | 'mcp_without_resource'

/** Upper limits of input. A token over its limit is 401; if an answer of Keycloak is over its limit, the request is 503. */
export interface Limits {
  /**
   * The most characters of a token. Node's own limit for all headers is 16384 bytes by default.
   * @default 32768
   */
  tokenLength?: number
  /**
   * The deepest nesting of the JSON of tokens and of introspection answers.
   * @default 32
   */
  jsonDepth?: number
  /**
   * The most bytes of the key set.
   * @default 524288
   */
  keySetBytes?: number
  /**
   * The most bytes of an introspection answer, and of an answer to a rule `{ uma }`.
   * @default 131072
   */
  introspectionBytes?: number
}

/** The options that stand in {@link KeycloakOptions}, and beside `issuers` in {@link SeveralIssuersOptions}. */
export interface CommonOptions {
  /**
   * The id of this API's client in Keycloak. Roles are read from this client, and introspection authenticates as it. Without
   * the option, roles are read from Keycloak's own client, whose `view-profile` every user has, with a warning at start
   * unless `permissionPath` is given.
   * @default 'account'
   */
  clientId?: string
  /**
   * The secret of that client, by which it proves itself to Keycloak. A function is called at the first call to Keycloak, and again when
   * Keycloak refuses the secret, so that a secret can be changed without a restart.
   */
  clientSecret?: string | ClientSecretProvider
  /**
   * In place of `clientSecret`: the private key by which the client proves itself (`private_key_jwt`, RFC 7523), or a function that
   * returns an assertion of somebody else, such as a Kubernetes service account token. docs/client-authentication.md has both.
   * @example
   * clientAssertion: { key: await readFile('/run/secrets/client.key') }
   */
  clientAssertion?: ClientAssertionKey | ClientAssertionProvider
  /**
   * In place of `clientSecret`: the certificate that the connections to Keycloak have (`tls_client_auth`, RFC 8705), or a function that
   * returns it. The address of Keycloak must be `https://`, and there is no `dispatcher`.
   */
  clientCertificate?: ClientCertificate | ClientCertificateProvider
  /**
   * The accepted values of `aud`, of which a token must have one: usually the id of your client. `null`: `aud` is not
   * checked, with a warning at start, because tokens for other APIs of the realm are accepted then. With the option `resource`
   * it is that URL, and may not be `null`.
   * @default null
   */
  audience?: string | readonly string[] | null
  /**
   * The clients whose tokens are accepted: `azp` must be one of them, by its client id. A token without `azp` is refused.
   * Left out, tokens of all clients are accepted.
   */
  authorizedParties?: string | readonly string[]
  /**
   * The greatest age of a token in seconds since `iat`, if it shall be shorter than the lifespan that Keycloak gave it.
   * `leeway` is added. Left out, `exp` alone decides.
   */
  maxTokenAge?: number
  /**
   * `'at+jwt'` accepts only tokens of RFC 9068: header `typ` at+jwt or application/at+jwt, and the claims aud, sub, jti, and
   * client_id or azp, which is what Keycloak writes. Left out, `typ` may also be JWT or missing.
   */
  tokenType?: 'at+jwt'
  /**
   * The accepted signature algorithms; `none` and `HS*` are never accepted.
   * @default ['RS256']
   */
  algorithms?: Algorithm | readonly Algorithm[]
  /**
   * The path of the roles in the claims: a dotted string, an array of segments for names that contain a dot, or a function.
   * @default ['resource_access', clientId, 'roles']
   * @example
   * permissionPath: 'realm_access.roles'
   */
  permissionPath?: string | readonly string[] | RoleSelector
  /**
   * The path of the groups in the claims, for rules such as `{ group: '/staff/it' }`: a dotted string, or an array of segments
   * for names that contain a dot. It is the "Token Claim Name" of Keycloak's mapper "Group Membership".
   * @default 'groups'
   */
  groupsClaim?: ClaimPath
  /**
   * Scopes that stand for others, in `config.scope` and in rules: a token with `mcp:admin` is then good for `mcp:tools` too.
   * Through others as well; a circle stops the start.
   * @example
   * scopeImplies: { 'mcp:admin': ['mcp:tools'], 'mcp:tools': ['mcp:list'] }
   */
  scopeImplies?: ScopeImplications
  /**
   * The levels of authentication from low to high, as the realm names them: a login of a higher one is good for a lower one in
   * `config.acr` and `request.hasAuthentication`, where a level that is not in the list is an error. Left out, each level stands
   * for itself alone. At least two.
   * @example
   * acrLevels: ['silver', 'gold']
   */
  acrLevels?: readonly [AcrName, AcrName, ...AcrName[]]
  /**
   * The key of `request.user` that identifies the user. If it is not the default, declare the type of your user:
   * {@link KeycloakTypes}.
   * @default 'username'
   */
  userIdField?: ProfileKey
  /**
   * The claim that identifies the user, by name or path; its value goes to `userIdField`. Prefer `sub`, which never changes.
   * In a claim of your own mapper, a whole number up to 2^53 becomes the text of its digits: 4711 and "4711" are the same
   * user. A token is 401 if the claim is missing, empty or of another type, or if it is a number but OpenID Connect defines a
   * string (`sub`, `preferred_username`, `email`).
   * @default 'preferred_username'
   */
  userIdClaim?: ClaimPath
  /**
   * With `userIdClaim: 'email'`: accept also tokens whose `email_verified` is not `true`. Use it only if users of this realm
   * cannot set their own address: else a user could set the address of another user, and be that user.
   * @default false
   */
  acceptUnverifiedEmail?: boolean
  /**
   * Keys of `request.user` and their claims, by name or path: `{ email: 'email', city: 'address.locality',
   * tenant: ['https://example.com/tenant'] }`. Claims that are absent or null are left out.
   * @default { firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username' }
   */
  claimMapping?: ClaimMapping
  /**
   * `false` skips the check of signatures, only for local debugging. It logs a warning, and is refused if NODE_ENV is
   * `production`, `prod` or `Production`.
   * @default true
   */
  verifySignature?: boolean
  /**
   * Verify the signatures of new tokens and DPoP proofs in libuv's thread pool, so that they use the other cores of the machine. A
   * request with a new token then waits behind what else the process does in the pool (files, host names, password hashes). At
   * most 256 wait at a time; those beyond are verified at once, and all of them if no thread answers within 50 milliseconds. Kept tokens are not concerned.
   * @default false
   */
  verifyInThreadPool?: boolean
  /**
   * Ask Keycloak about the token at each request (RFC 7662), so that logouts and withdrawn roles take effect immediately.
   * Needs `clientSecret`, `clientAssertion` or `clientCertificate`. While Keycloak does not answer, requests are 503.
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
   * A dispatcher of undici 7 or 8 for the calls to Keycloak (proxies, client certificates). If it has fewer than 68
   * connections, calls wait for a connection in no fair order. The plugin does not close it.
   */
  dispatcher?: UndiciDispatcher
  /**
   * Accepted clock skew of `exp`, `nbf` and `iat`, in seconds.
   * @default 0
   */
  leeway?: number
  /**
   * Called on every authenticated request with the result of `claimMapping`; its return value becomes `request.user`. If
   * that is `null` or has `isActive: false`, the answer is 401 `user_inactive`. An error that it throws is your application's
   * error. Declare the type of the return value: {@link KeycloakTypes}.
   */
  syncUser?: SyncUser
  /**
   * Finds the token if it is not in the Authorization header; `null` makes the request anonymous. Synchronous. A plugin that
   * sets the members it reads, such as @fastify/cookie, must be registered before this plugin.
   * @default bearerToken
   * @example
   * extractToken: (request) => bearerToken(request) ?? request.cookies.token
   */
  extractToken?: ExtractToken
  /**
   * Ties a request to one issuer by its name, such as by its host or its path: the token of another issuer is 401
   * `token_not_valid`. `null` ties it to none. An unknown name is your application's error. Synchronous.
   * @example
   * selectIssuer: ({ hostname }) => realmOfHost.get(hostname) ?? null
   */
  selectIssuer?: SelectIssuer
  /**
   * Accept access tokens that are bound to a key of the client, with a proof of that key on each request (RFC 9449). Without
   * this option they are refused.
   */
  dpop?: true | DpopOptions
  /**
   * Accept access tokens that are bound to a client certificate, with that certificate (RFC 8705 section 3). Without this
   * option they are refused.
   */
  mtls?: true | MtlsOptions
  /**
   * The protected resource that this API is, by its URL: clients find Keycloak, the scopes and the way to send tokens in the
   * document below `/.well-known/oauth-protected-resource` (RFC 9728), which is public, and challenges name that document.
   * MCP clients need it.
   * @example
   * resource: 'https://api.example.com/mcp'
   */
  resource?: string | ResourceOptions
  /**
   * Deny anonymous callers on every route except those with `public: true` or `keycloak: false`.
   * @default false
   */
  requireAuthentication?: boolean
  /**
   * One check of Keycloak at start: its issuer, keys, clock, and with introspection the client's credentials. `'warn'` checks
   * in the background when the server listens, and logs each problem with the setting that corrects it; `'require'` checks
   * before the start continues, and stops it.
   * @default 'warn'
   */
  startCheck?: 'warn' | 'require' | false
  /**
   * Risks of these options that are known and accepted: the start does not warn of them. An unknown code stops the start.
   * @default []
   * @example
   * acceptRisks: ['audience_unchecked']
   */
  acceptRisks?: readonly KeycloakRisk[]
  /** Limits of the calls that `verifyTokensWithKeycloak` makes. */
  introspection?: IntrospectionOptions
  /** Limits of the calls for tokens for other services, and of the tokens that are kept. */
  outbound?: OutboundOptions
  /** The lifetime of the realm's keys. */
  jwks?: JwksOptions
  /**
   * The cache of verified tokens; `false` switches it off. The bounds apply to kept answers of introspection too,
   * and count for all issuers together.
   * @default { max: 50000, maxBytes: 201326592 }
   */
  cache?: CacheOptions | false
  /** Adds the POST routes that receive the pushes of Keycloak's admin console: not-before, and the logout of all users. */
  adminUrl?: AdminUrlOptions
  /** The memory of logouts, and the store that shares them with other instances. */
  revocation?: RevocationOptions
  /**
   * Lets Keycloak's Authorization Services decide on rules such as `{ uma: 'invoice:{id}#write' }`. Needs `clientId` and
   * `clientSecret`. While Keycloak does not answer, requests to such routes are 503.
   */
  uma?: true | UmaOptions
  /** Upper limits of input. */
  limits?: Limits
}

/**
 * One of several issuers: its own options, over those beside `issuers`, which are the defaults of all. In a group such as
 * `jwks` each member has its own default.
 */
export interface IssuerOptions extends Partial<Pick<CommonOptions, RealmOption>> {
  /**
   * The name of the issuer in `config.issuer`, `selectIssuer`, `request.issuer`, `health()` and the log.
   * @default the realm's name
   */
  name?: string
  /**
   * The full URL of the realm, exactly as tokens have it in `iss`, such as `https://sso.example.com/realms/acme`. A name
   * with blanks or umlauts is encoded, as Keycloak encodes it: `https://sso.example.com/realms/my%20realm`.
   */
  issuer: string
  /**
   * Base URL of the calls to Keycloak if it differs from the public issuer, such as inside a container network:
   * `http://keycloak:8080/realms/acme`.
   * @default issuer
   */
  serverUrl?: string
  /** The clients that users of this realm log in by. The path of the route is one for all issuers. */
  backchannelLogout?: Pick<BackchannelLogoutOptions, 'clients'>
}

/** The options that concern a realm, besides its URLs. */
type RealmOption =
  | 'clientId' | 'clientSecret' | 'clientAssertion' | 'clientCertificate' | 'audience' | 'authorizedParties' | 'maxTokenAge' | 'tokenType'
  | 'algorithms' | 'permissionPath' | 'groupsClaim' | 'scopeImplies' | 'acrLevels'
  | 'userIdField' | 'userIdClaim' | 'acceptUnverifiedEmail' | 'claimMapping'
  | 'verifyTokensWithKeycloak' | 'introspection' | 'uma' | 'outbound' | 'jwks' | 'startCheck' | 'acceptRisks'
  | 'ca' | 'verifyCertificate' | 'dispatcher'

/**
 * Finds the realm of an issuer, such as in a table of tenants; `null` if it is none of yours, which is 401.
 *
 * It is called for an `iss` whose realm is not open, and that is the canonical URL of a realm: all others are 401 without a call.
 * Nobody has verified the token yet, so compare the `iss` with those that you know, and return an entry with this `issuer` for no
 * other: its keys sign tokens for this API. The answer counts until the realm closes ({@link SeveralIssuersOptions.maxIssuers}), and
 * `null` for a minute. If the function throws, takes longer than 5 seconds or returns something else, tokens of this issuer
 * are 503, and it is called again a second later.
 */
export type IssuerFinder = (iss: string) => IssuerOptions | null | Promise<IssuerOptions | null>

/** The options of a plugin of several issuers. */
export interface SeveralIssuersOptions extends CommonOptions {
  /**
   * The realms whose tokens are accepted: a list, or a function for tenants that come and go. The unverified `iss` of a token
   * picks among them; the keys, the issuer and the audience of that realm decide.
   * @example
   * issuers: [
   *   { issuer: 'https://sso.example.com/realms/acme', audience: 'api' },
   *   { issuer: 'https://sso.example.com/realms/globex', audience: 'api' }
   * ]
   */
  issuers: readonly IssuerOptions[] | IssuerFinder
  /**
   * With a function `issuers`: the largest number of realms that stay open and have accepted a token. The least recently used
   * one closes for another one, when the requests that it decides on are answered. A realm that has accepted no token takes the
   * place of none that has; such realms have the places that are free, and 32 more.
   * @default 100
   */
  maxIssuers?: number
  /** Adds one POST route that receives the back-channel logouts of all issuers; `clients` is the default of entries without their own. */
  backchannelLogout?: Pick<BackchannelLogoutOptions, 'path'> & Partial<Pick<BackchannelLogoutOptions, 'clients'>>
  /** Instead of `issuers`: {@link KeycloakOptions}. */
  issuer?: never
}

/**
 * The options of the plugin. A wrong, unknown or misspelled option stops the start with one sentence that names it. For several
 * issuers: {@link SeveralIssuersOptions}.
 *
 * @example
 * await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' })
 */
export interface KeycloakOptions extends CommonOptions {
  /**
   * The full URL of the realm, exactly as tokens have it in `iss`, such as `https://sso.example.com/realms/acme`. A name
   * with blanks or umlauts is encoded, as Keycloak encodes it: `https://sso.example.com/realms/my%20realm`.
   */
  issuer: string
  /**
   * Base URL of the calls to Keycloak if it differs from the public issuer, such as inside a container network:
   * `http://keycloak:8080/realms/acme`.
   * @default issuer
   */
  serverUrl?: string
  /** Adds a POST route that receives Keycloak's back-channel logouts: the tokens of a logged-out user are refused from then on. */
  backchannelLogout?: BackchannelLogoutOptions
  /** Instead of `issuer`: {@link SeveralIssuersOptions}. */
  issuers?: never
}
