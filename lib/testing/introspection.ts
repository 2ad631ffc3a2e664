import type { IncomingMessage } from 'node:http'
import { basicCredentials } from './basic-credentials.js'
import { decode, type Claims } from './jws.js'
import type { KeyRing } from './keys.js'
import type { TestServices } from './services/index.js'
import { wallSeconds } from '../util/clock.js'

/** The part of the realm that introspection needs. */
export interface IntrospectingRealm {
  readonly options: { issuer: string, clientId: string, clientSecret: string }
}

/** The status of the response and its JSON. */
export type IntrospectionResult = [status: number, body: object]

const INACTIVE: IntrospectionResult = [200, { active: false }]

/** The introspection endpoint (RFC 7662) with the answers of Keycloak 26.7, and the realm's record of its tokens. */
export class Introspection {
  readonly #realm: IntrospectingRealm
  readonly #keys: KeyRing
  readonly #isOver: (sid: unknown) => boolean
  readonly #services: () => TestServices | undefined
  readonly #revoked = new Set<string>()
  readonly #complete = new Map<string, Claims>()
  readonly #updates = new Map<string, Claims>()

  /**
   * @param isOver has the session ended?
   * @param services gives the clients that may ask; undefined: the realm's own client alone
   */
  constructor (realm: IntrospectingRealm, keys: KeyRing, isOver: (sid: unknown) => boolean, services: () => TestServices | undefined) {
    this.#realm = realm
    this.#keys = keys
    this.#isOver = isOver
    this.#services = services
  }

  revoke (token: string): void {
    this.#revoked.add(token)
  }

  /** Merges claims into later responses about the token. */
  update (token: string, claims: Claims): void {
    this.#updates.set(token, { ...this.#updates.get(token), ...claims })
  }

  /** Remembers the claims that a lightweight token leaves out. */
  remember (token: string, complete: Claims): void {
    this.#complete.set(token, complete)
  }

  answer (request: IncomingMessage, body: string): IntrospectionResult {
    if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
      return [415, { error: 'HTTP 415 Unsupported Media Type' }]
    }
    const form = new URLSearchParams(body)
    const { authorization } = request.headers
    const client = this.#services()?.authenticate(form, authorization) ?? this.#authenticate(form, authorization)
    if (typeof client !== 'string') return client
    const token = form.get('token')
    // Keycloak 26.7.3 answers 405.
    if (token === null || token === '') return [405, { error: 'invalid_request', error_description: 'Token not provided' }]
    const claims = this.activeClaims(token)
    if (claims === null || ![claims.aud].flat().includes(client)) return INACTIVE
    const updates = this.#updates.get(token)
    return [200, { ...describe({ ...claims, ...updates }), ...updates }]
  }

  /** The id of the client that asks, or the answer that refuses it, in Keycloak's words. */
  #authenticate (form: URLSearchParams, authorization: string | undefined): string | IntrospectionResult {
    const basic = basicCredentials(authorization)
    const id = form.get('client_id') ?? basic?.[0]
    const secret = form.get('client_secret') ?? basic?.[1]
    const { clientId, clientSecret } = this.#realm.options
    if (id === clientId && secret === clientSecret) return id
    const refusal = id === clientId ? 'Client authentication failed.' : 'Invalid client or Invalid client credentials'
    return [401, { error: 'invalid_client', error_description: refusal }]
  }

  /** The claims of a token that is active, whoever it is for; else `null`. */
  activeClaims (token: string): Claims | null {
    const jws = decode(token)
    // Keycloak finds no key for a token without kid.
    const key = jws && this.#keys.find(jws.header.kid, jws.header.alg)
    if (!key || !jws.isSignedBy(key.alg, key.privateKey) || this.#revoked.has(token)) return null
    const claims = this.#complete.get(token) ?? jws.payload
    return this.#isActive(claims) ? claims : null
  }

  #isActive ({ iss, exp, nbf, sid }: Claims): boolean {
    const now = wallSeconds()
    if (iss !== this.#realm.options.issuer || this.#isOver(sid)) return false
    if (typeof exp === 'number' && exp <= now) return false
    return typeof nbf !== 'number' || nbf <= now
  }
}

/** The claims, and the members that Keycloak adds to them. */
function describe (claims: Claims): Claims {
  return { ...claims, client_id: claims.azp, username: claims.preferred_username, token_type: claims.typ, active: true }
}
