import { randomUUID } from 'node:crypto'
import { wallSeconds } from '../../util/clock.js'
import { audienceClaim } from '../grants.js'
import { decode, type Claims } from '../jws.js'
import { provenKey } from '../login/proof.js'
import { OAuthError, repeated, type LoginRequest } from '../login/reply.js'
import { ServiceClients, type RegisteredClient } from './clients.js'
import { ACCESS_TOKEN, exchanged, isBoundToKey, subjectClaims } from './exchange.js'
import type { PendingServiceCall, ServiceCall, ServiceInternals, ServiceRealm, ServiceRules } from './rules.js'
import { ServiceScopes } from './scopes.js'
import { serviceAccount } from './service-account.js'
import { permissionsOf } from './uma.js'

/** A request whose sender is known. */
export interface GrantRequest {
  readonly form: URLSearchParams
  /** Undefined for UMA with the token of the user in the header. */
  readonly client: RegisteredClient | undefined
  /** The claims of the subject token; null if there is none, or it is not valid. */
  readonly subject: Claims | null
  /** The thumbprint of the key of the DPoP proof. */
  readonly jkt: string | undefined
  readonly call: PendingServiceCall
}

/** The parameter of a grant that a request may have several times. */
const REPEATABLE: Readonly<Record<ServiceCall['grant'], string>> = { client_credentials: '', 'token-exchange': 'audience', 'uma-ticket': 'permission' }

/** The token endpoint for client credentials, token exchange and UMA, with the answers of Keycloak 26.7. */
export class ServiceTokenEndpoint {
  readonly clients: ServiceClients
  readonly #rules: ServiceRules
  readonly #realm: ServiceRealm
  readonly #internals: ServiceInternals
  readonly #scopes: ServiceScopes
  readonly #grants: Readonly<Record<ServiceCall['grant'], (request: GrantRequest) => object>> = {
    client_credentials: (request) => this.#clientCredentials(request),
    'token-exchange': (request) => this.#exchange(request),
    'uma-ticket': (request) => this.#permissions(request)
  }

  constructor (rules: ServiceRules, realm: ServiceRealm, internals: ServiceInternals) {
    this.clients = new ServiceClients(rules.clients ?? {}, realm.options, realm.issuer)
    this.#rules = rules
    this.#realm = realm
    this.#internals = internals
    this.#scopes = new ServiceScopes(rules.scopes ?? {})
  }

  /**
   * Finds out who sends a request.
   * @throws {OAuthError} in Keycloak's words
   */
  identified (call: PendingServiceCall, { method, form, authorization, proof }: Pick<LoginRequest, 'method' | 'form' | 'authorization' | 'proof'>): GrantRequest {
    const single = new URLSearchParams([...form].filter(([name]) => name !== REPEATABLE[call.grant]))
    if (repeated(single) !== undefined) throw new OAuthError('invalid_request', 'duplicated parameter')
    if (call.grant === 'uma-ticket' && call.authentication === 'bearer') return this.#identifiedByToken(call, form, authorization)
    const client = this.clients.authenticate(form, authorization)
    const jkt = provenKey({ method, proof }, `${this.#realm.issuer}/protocol/openid-connect/token`)
    const subject = this.#subject(form.get('subject_token'))
    return { form, client, subject, jkt, call: { ...call, client: client.id, subject: subjectOf(subject) } }
  }

  /** @throws {OAuthError} in Keycloak's words */
  granted (request: GrantRequest): object {
    return this.#grants[request.call.grant](request)
  }

  #identifiedByToken (call: PendingServiceCall, form: URLSearchParams, authorization: string): GrantRequest {
    const subject = this.#subject(authorization.slice('Bearer '.length))
    if (subject === null || isBoundToKey(subject)) throw new OAuthError('invalid_grant', 'Invalid bearer token')
    return { form, client: undefined, subject, jkt: undefined, call: { ...call, subject: subjectOf(subject) } }
  }

  #subject (token: string | null): Claims | null {
    return subjectClaims(token, this.#internals.isActive)
  }

  #clientCredentials ({ form, client, jkt, call }: GrantRequest): object {
    const { rules } = client!
    if (rules.serviceAccount === false) throw new OAuthError('unauthorized_client', 'Client not enabled to retrieve service account', 401)
    return this.#answer(this.#serviceAccount(client!, form.get('scope') ?? '', jkt, call))
  }

  #serviceAccount (client: RegisteredClient, asked: string, jkt: string | undefined, call: PendingServiceCall): string {
    const spec = serviceAccount(client, this.#scopes.granted(asked), this.#scopes, { ownClient: this.#realm.options.clientId, hasResources: this.#rules.resources !== undefined })
    const bound = jkt === undefined ? {} : { typ: 'DPoP', cnf: { jkt, 'kc-jkt-type': 'DPoP' } }
    return this.#realm.token({ ...spec, claims: { ...spec.claims, ...bound, ...this.#rules.claims?.(call) } })
  }

  #exchange ({ form, client, subject, jkt, call }: GrantRequest): object {
    const claims = exchanged({ form, client: client!, subject, jkt }, { scopes: this.#scopes, hasClient: (id) => this.clients.has(id) })
    const session = claims.sid === undefined ? 'tr' : 'nt'
    return { ...this.#answer(this.#signed(claims, `${session}rtte`, call)), issued_token_type: ACCESS_TOKEN }
  }

  #permissions ({ form, client, subject, call }: GrantRequest): object {
    const mode = form.get('response_mode')
    if (![null, 'decision', 'permissions'].includes(mode)) throw new OAuthError('invalid_request', 'Invalid response_mode')
    if (subject === null ? form.has('subject_token') : isBoundToKey(subject)) throw new OAuthError('unauthorized_client', 'Invalid identity')
    const resources = this.#resourcesOf(form.get('audience'))
    // Without a subject token Keycloak decides for the client itself.
    const claims = subject ?? decode(this.#serviceAccount(client!, '', undefined, call))!.payload
    const permissions = permissionsOf(claims, call.permissions, resources)
    if (mode === 'decision') return { result: true }
    if (mode === 'permissions') return permissions
    const { scope, ...answer } = this.#answer(this.#signed({ ...claims, aud: form.get('audience'), authorization: { permissions } }, 'ntrtna', call))
    return { upgraded: false, ...answer }
  }

  #resourcesOf (server: string | null): NonNullable<ServiceRules['resources']> {
    if (server === null) throw new OAuthError('invalid_request', 'You must provide the issuedFor')
    const { resources } = this.#rules
    if (server === this.#realm.options.clientId && resources !== undefined) return resources
    if (this.clients.has(server)) throw new OAuthError('invalid_request', 'Client does not support permissions')
    throw new OAuthError('invalid_request', `Unknown resource server id: [${server}]`)
  }

  /** A token of these claims, which begins now. */
  #signed (claims: Claims, kind: string, call: PendingServiceCall): string {
    const iat = Math.floor(wallSeconds())
    const { aud } = claims
    return this.#realm.sign({
      ...claims,
      exp: iat + this.#internals.tokenLifespan,
      iat,
      jti: `${kind}:${randomUUID()}`,
      aud: Array.isArray(aud) ? audienceClaim(aud) : aud,
      ...this.#rules.claims?.(call)
    })
  }

  /** The answer of the token endpoint (RFC 6749 section 5.1). */
  #answer (token: string): Record<string, unknown> {
    const { exp, iat, typ, sid, scope } = decode(token)!.payload
    return {
      access_token: token,
      expires_in: (exp as number) - (iat as number),
      refresh_expires_in: 0,
      token_type: typ,
      'not-before-policy': 0,
      ...(sid !== undefined && { session_state: sid }),
      scope
    }
  }
}

function subjectOf (claims: Claims | null): string | undefined {
  return claims?.sub as string | undefined
}
