/** Keycloak's Authorization Services, which decide on rules such as `{ uma: 'invoice:{id}#write' }`. */
export interface UmaOptions {
  /**
   * The id of the client whose resources and policies decide ("Authorization" of that client in Keycloak). If it is not this
   * API's own client, rules name resources by their ids.
   * @default clientId
   */
  resourceServer?: string
  /**
   * Deadline of a decision, in milliseconds; a request that reaches it is 503.
   * @default 5000
   */
  timeout?: number
  /**
   * How long a decision may serve other requests with the same token, in milliseconds. 0: Keycloak is asked at each request.
   * @default 0
   */
  cacheTtl?: number
  /**
   * The most calls that may run or wait for a connection. A further call replaces a call of the user who has the most calls, if
   * that user has at least two more than its own user; else it is 503 without a wait.
   * @default 1000
   */
  maxPending?: number
}

/** A permission that Keycloak grants to the caller: scopes of one resource. Frozen. */
export interface UmaGrant {
  /** The id of the resource, which no other resource has. */
  readonly id: string
  /** The name of the resource. With owner-managed access a resource of a user may have the name of one of this API: compare `id`. */
  readonly name: string
  /** The scopes that the caller has; empty for a resource without scopes. */
  readonly scopes: readonly string[]
}
