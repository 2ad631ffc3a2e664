import type { KeycloakReasonCode } from '../lib/reasons/reason.js'
import type { ServiceCalls } from './outbound.js'
import type { ResourceMetadata } from './resource.js'
import type { Claims } from './user.js'

/** The access to a route, as `fastify.keycloak.routes()` lists it. */
export interface RouteAccess {
  /** Its methods, joined by commas: `GET`, or `GET,HEAD`. */
  method: string
  /** Its path, with the prefixes of its scopes. */
  url: string
  /**
   * - `open`: `keycloak: false`, the plugin is off
   * - `optional`: no token, or a valid token
   * - `authenticated`: any valid token
   * - `restricted`: a valid token that fulfils `rule`
   */
  access: 'open' | 'optional' | 'authenticated' | 'restricted'
  /** The rule of a `restricted` route in words: `permission read-profile and scope write`. */
  rule?: string
  /** The rules of MCP tools in words, by their names, of a route whose `config.mcp` has some. */
  tools?: Record<string, string>
}

/** The health of one of Keycloak's endpoints. Times are ISO 8601; `null`: never. */
export interface UpstreamHealth {
  /** `false` after a failed call, until a call succeeds. */
  ok: boolean
  /** The time of the last call that succeeded. */
  lastSuccess: string | null
  /** The time of the last call that failed. */
  lastFailure: string | null
  /** The reason of the last failure while `ok` is `false`, else `null`. */
  reason: string | null
}

/** The health of introspection. */
export interface IntrospectionHealth extends UpstreamHealth {
  /** `open`: Keycloak does not answer, so requests are answered 503 without a call, except for a trial call from time to time. */
  breaker: 'closed' | 'open'
  /** The number of calls that run or wait for a connection. Requests that share one call count once. */
  pending: number
}

/** The health of the decisions of Keycloak's Authorization Services. */
export interface UmaHealth extends UpstreamHealth {
  /** `open`: Keycloak does not answer, so requests are answered 503 without a call, except for a trial call from time to time. */
  breaker: 'closed' | 'open'
  /** The number of calls that run or wait for a connection. Requests that share one call count once. */
  pending: number
}

/** The health of the calls for tokens for other services. */
export interface OutboundHealth extends UpstreamHealth {
  /** `open`: Keycloak does not answer, so who needs a new token gets 503 without a call, except for a trial call from time to time. */
  breaker: 'closed' | 'open'
  /** The number of calls that run or wait for a connection. */
  pending: number
}

/** The state of the list of logouts. */
export interface RevocationHealth {
  /** `false` while the store has not reported for more than `revocation.maxLag`. */
  ok: boolean
  /** The number of sessions and users that are logged out now, by the wall clock. */
  entries: number
  /** Tokens issued before this time are refused, in seconds since 1970; 0: none. */
  notBefore: number
  /** Milliseconds since the store last reported; `null`: it never did, or there is no store. */
  lag: number | null
}

/** The health of the plugin's calls to one realm. */
export interface RealmHealth {
  /**
   * `false` while a request with a token would get 503, because Keycloak or the store of revocations did not answer the last
   * calls. It is `true` before the first call to Keycloak, because the first request fetches the keys. If readiness has to
   * mean that the keys are present, check `keys.state` too, and let `startCheck` or `jwks.preload` fetch them.
   */
  ok: boolean
  /** The key set. */
  keys: UpstreamHealth & {
    /**
     * - `not fetched yet`: no request has needed the keys, or each fetch failed; `ok` is `false` in the second case
     * - `fresh`: younger than `jwks.maxAge`
     * - `stale`: older, and still used while Keycloak cannot be reached, until `jwks.maxStale`
     * - `expired`: older than `jwks.maxStale`: requests with a token are 503 until the keys are fetched again
     */
    state: 'not fetched yet' | 'fresh' | 'stale' | 'expired'
    /** Age of the key set in milliseconds, `null` before the first fetch. */
    age: number | null
    /** Is the key set older than `jwks.maxAge`? */
    stale: boolean
    /** The number of usable signing keys. */
    count: number
  }
  /** `null` if introspection is off. */
  introspection: IntrospectionHealth | null
  /** `null` if none of the options `backchannelLogout`, `adminUrl` and `revocation` is given. */
  revocation: RevocationHealth | null
  /** `null` without the option `uma`. */
  uma: UmaHealth | null
  /** `null` until the API asks for a token for another service. It does not count for `ok`: requests can be decided on. */
  outbound: OutboundHealth | null
}

/**
 * The result of `fastify.keycloak.health()`. With several issuers `ok` is `false` only while that of every realm is, because the
 * outage of one realm concerns its own tokens alone; `keys`, `introspection`, `revocation`, `uma` and `outbound` are those of the
 * first realm that is not ok, else of the first.
 */
export interface Health extends RealmHealth {
  /** With the option `issuers`: the health of each realm by the name of its issuer; with a function, of each that is open. */
  issuers?: Record<string, RealmHealth>
  /** The number of verified tokens in memory, and the bytes they take, an estimate; `null` if `cache` is `false`. */
  cache: { tokens: number, bytes: number } | null
  /**
   * The number of requests that were refused since the start, by the code of the reason, and of tokens that `verify()` refused. A code
   * without a refusal is left out. docs/troubleshooting.md explains each code.
   */
  refusals: Partial<Record<KeycloakReasonCode, number>>
}

/** The proof that comes beside a token that is bound to a key, for {@link KeycloakInstance.verify}. */
export interface VerifyPresentation {
  /** The DPoP proof (RFC 9449 section 4): the value of the header `DPoP`. It needs `method` and `url`. */
  proof?: string
  /** The method of the request that the proof was made for: `GET`. */
  method?: string
  /** The whole URL of that request, as the client sees it: `https://api.example.com/profile`. Query and fragment do not count. */
  url?: string
  /** The certificate that the client has proven (RFC 8705 section 3), in DER or PEM. */
  certificate?: Buffer | string
}

/** `fastify.keycloak` */
export interface KeycloakInstance extends ServiceCalls {
  /**
   * Verify a token that does not come in a request, such as in a WebSocket message or a job: signature, claims, logouts and
   * introspection. `syncUser` is not called. A token that is bound to a key is refused without the proof of that key.
   * @param presentation the proof that came beside the token; each proof is accepted once
   * @throws {KeycloakError} `token_not_valid`, `token_expired` (401), `dpop_proof_not_valid`, `dpop_nonce_required` (401) or
   * `keycloak_unavailable` (503)
   * @throws {TypeError} for a proof without `method` and `url`
   * @example
   * socket.on('message', async (token) => { const { sub } = await app.keycloak.verify(String(token)) })
   */
  verify (token: string, presentation?: VerifyPresentation): Promise<Claims>
  /**
   * Forget what the function `issuers` returned for an issuer, after its tenant was added, changed or ended in your database:
   * the next token of the issuer asks the function again. The realm closes after the requests that it decides on. Each
   * instance of the API has to be told. An issuer that the plugin has not met is no error.
   * @param issuer the URL of the realm, as in `iss`
   * @throws {TypeError} for a text that is no issuer, such as a name
   * @throws {Error} if `issuers` is not a function
   * @example
   * await tenants.delete(issuer)
   * app.keycloak.forgetIssuer(issuer) // its tokens are 401 from now on
   */
  forgetIssuer (issuer: string): void
  /**
   * All routes that were added since the plugin loaded, with their access.
   * @example
   * t.matchSnapshot(app.keycloak.routes())
   */
  routes (): RouteAccess[]
  /**
   * The protected resource metadata of the option `resource` (RFC 9728), for a plugin under a prefix, which cannot serve the
   * document at the root.
   * @throws {Error} without the option
   * @example
   * root.get('/.well-known/oauth-protected-resource/mcp', async () => scope.keycloak.resourceMetadata())
   */
  resourceMetadata (): ResourceMetadata
  /**
   * The health of the calls to Keycloak so far; it makes no call itself.
   * @example
   * app.get('/ready', async (_, reply) => reply.code(app.keycloak.health().ok ? 200 : 503).send())
   */
  health (): Health
}
