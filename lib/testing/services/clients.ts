import { basicCredentials } from '../basic-credentials.js'
import { decode } from '../jws.js'
import { OAuthError } from '../login/reply.js'
import { wrong } from './check-rules.js'
import { Assertions, clientKeys, JWT_BEARER, type ClientKey } from './client-assertion.js'
import type { ServiceCall, ServiceClient } from './rules.js'

/** Keycloak's words for a client that it does not know, or whose secret is another. */
const INVALID = 'Invalid client or Invalid client credentials'

/** A client, as it authenticates. */
export interface RegisteredClient {
  readonly id: string
  readonly rules: ServiceClient
  secret: string | undefined
  /** Undefined for a client that has a secret. */
  readonly keys: readonly ClientKey[] | undefined
}

/** The realm's own client, if the rules do not change it. */
export interface OwnClient {
  readonly clientId: string
  readonly clientSecret: string
}

/** The clients that authenticate at the token endpoint and at introspection (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export class ServiceClients {
  readonly #clients: ReadonlyMap<string, RegisteredClient>
  readonly #assertions: Assertions

  /** @throws {TypeError} when a client has neither a secret nor keys, or both, or a key is none */
  constructor (rules: Readonly<Record<string, ServiceClient>>, { clientId, clientSecret }: OwnClient, issuer: string) {
    const own = { secret: clientSecret }
    const clients = Object.entries({ ...rules, [clientId]: Object.hasOwn(rules, clientId) ? withDefault(rules[clientId]!, own) : own })
    this.#clients = new Map(clients.map(([id, client]) => [id, registered(id, client)]))
    this.#assertions = new Assertions(issuer)
  }

  has (id: string): boolean {
    return this.#clients.has(id)
  }

  /** @throws {TypeError} when there is no such client, or it has no secret */
  rotateSecret (id: string, secret: string): void {
    const client = this.#clients.get(id)
    if (client?.secret === undefined) throw new TypeError(`TestServices.rotateSecret(): the realm has no client "${id}" with a secret.`)
    client.secret = secret
  }

  /** @throws {OAuthError} in Keycloak's words */
  authenticate (form: URLSearchParams, authorization: string | undefined): RegisteredClient {
    const basic = basicCredentials(authorization)
    const client = this.#find(form.get('client_id') ?? basic?.[0], form)
    if (client === undefined) throw new OAuthError('invalid_client', INVALID, 401)
    if (client.keys !== undefined) this.#assertions.check(client.id, client.keys, form)
    else if ((form.get('client_secret') ?? basic?.[1]) !== client.secret) throw new OAuthError('unauthorized_client', INVALID, 401)
    return client
  }

  /** The client of this id; without an id the one that the assertion names, if it has keys. */
  #find (id: string | undefined, form: URLSearchParams): RegisteredClient | undefined {
    if (id !== undefined) return this.#clients.get(id)
    const { iss, sub } = decode(form.get('client_assertion') ?? '')?.payload ?? {}
    const client = form.get('client_assertion_type') === JWT_BEARER && iss === sub ? this.#clients.get(String(sub)) : undefined
    return client?.keys === undefined ? undefined : client
  }
}

/** The method by which a request authenticates its client, whether it succeeds or not. */
export function methodOf (form: URLSearchParams, authorization = ''): ServiceCall['authentication'] {
  if (form.has('client_assertion')) return 'private_key_jwt'
  if (form.has('client_secret')) return 'client_secret_post'
  if (/^Basic /i.test(authorization)) return 'client_secret_basic'
  return /^Bearer /i.test(authorization) ? 'bearer' : 'none'
}

function withDefault (client: ServiceClient, own: { secret: string }): ServiceClient {
  return client.keys === undefined ? { ...client, secret: client.secret ?? own.secret } : client
}

function registered (id: string, rules: ServiceClient): RegisteredClient {
  const { secret, keys } = rules
  if ((secret === undefined) === (keys === undefined)) throw wrong(`clients.${id} must have either secret or keys`)
  return { id, rules, secret, keys: keys && clientKeys(id, keys) }
}
