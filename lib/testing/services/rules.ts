import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { Claims, JwsHeader } from '../jws.js'
import type { TokenSpec } from '../token-spec.js'

/** A client that gets tokens from the token endpoint with its own credentials. */
export interface ServiceClient extends Pick<TokenSpec, 'roles' | 'realmRoles' | 'clientRoles'> {
  /** Its secret: `client_secret_basic` and `client_secret_post`. Default for the realm's `clientId`: the realm's `clientSecret`. */
  secret?: string
  /** Its public keys for `private_key_jwt`: PEM, JWK or KeyObject. Private keys are taken, too. The client has no secret then. */
  keys?: ReadonlyArray<string | JsonWebKey | KeyObject>
  /** Keycloak's switch *Service accounts roles*, for client credentials. Default `true`. */
  serviceAccount?: boolean
  /** Keycloak's switch *Standard Token Exchange*. Default `true`. */
  exchange?: boolean
}

/** A client scope of the realm, with its mapper *Audience*. */
export interface ServiceScope {
  /** The clients that the scope adds to `aud`. Default: none. */
  audience?: string | readonly string[]
  /** Has each client the scope without asking for it? Default `false`: it is of the type *Optional*. */
  default?: boolean
}

/** A resource of Keycloak's Authorization Services, and its policy. */
export interface UmaResource {
  /** The name. Resources of several owners may have the same name. */
  name: string
  /** The id, which answers have as `rsid`. Default: a UUID, always the same for an owner and name. */
  id?: string
  /** The owner. Default: the resource server. */
  owner?: string
  /** The scopes of the resource. Default: none. */
  scopes?: readonly string[]
  /** The policy: is this scope granted to a user with these claims? `scope` is undefined for a resource without scopes. */
  allow (claims: Readonly<Claims>, scope: string | undefined): boolean
}

/** An error of the token endpoint (RFC 6749 section 5.2). */
export interface ServiceRefusal {
  /** Default 400. */
  status?: number
  /** Such as `access_denied`. */
  error: string
  /** Such as `not_authorized`. Default: none. */
  description?: string
}

/** A request to the token endpoint, without secrets and tokens, so that tests can compare and print it. */
export interface ServiceCall {
  /** The grant, by the last word of its name. */
  readonly grant: 'client_credentials' | 'token-exchange' | 'uma-ticket'
  /** The client that authenticated; undefined if none did. */
  readonly client: string | undefined
  /** The method by which the client was asked to authenticate; `bearer` for UMA with the user's token in the header. */
  readonly authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none'
  /** `sub` of the subject token; undefined if there is none, or it is not valid. */
  readonly subject: string | undefined
  /** The parameters `audience`. */
  readonly audience: readonly string[]
  /** The parameter `scope`. */
  readonly scope: string | undefined
  /** The parameters `permission`. */
  readonly permissions: readonly string[]
  /** The status of the answer. */
  readonly status: number
  /** `error` of the answer; undefined for a success. */
  readonly error: string | undefined
}

/** The part of a call that is known before it is answered. */
export type PendingServiceCall = Omit<ServiceCall, 'status' | 'error'>

/** The rules of `TestRealm.services`; all have defaults. */
export interface ServiceRules {
  /** The clients, by client id, beside the realm's own `clientId`, which may be among them. Default: that one alone. */
  clients?: Readonly<Record<string, ServiceClient>>
  /**
   * The client scopes that clients can ask for beside Keycloak's own, such as `{ 'orders:read': { audience: 'orders' } }`. Another
   * scope is `invalid_scope`. Default: none.
   */
  scopes?: Readonly<Record<string, ServiceScope>>
  /** The resources of the realm's `clientId`, for UMA. Default: none, and the client does not support permissions. */
  resources?: readonly UmaResource[]
  /** The claims to merge over those of the new token; a value of undefined removes a claim. Default: none. */
  claims?: (call: PendingServiceCall) => Claims
  /** The error to answer a client with that has authenticated; undefined to go on. Default: none. */
  refuse?: (call: PendingServiceCall) => ServiceRefusal | undefined
}

/** The part of the realm that the token endpoint needs. */
export interface ServiceRealm {
  /** The `iss` of the tokens. */
  readonly issuer: string
  /** The realm's own client. */
  readonly options: { readonly clientId: string, readonly clientSecret: string }
  /** Makes a token. */
  token (spec: TokenSpec): string
  /** Signs any payload. */
  sign (payload: unknown, header?: JwsHeader): string
}

/** The parts of the realm that are not public. */
export interface ServiceInternals {
  /** The lifetime of tokens, in seconds. */
  readonly tokenLifespan: number
  /** Is this a token of the realm that has not ended? */
  isActive (token: string): boolean
}
