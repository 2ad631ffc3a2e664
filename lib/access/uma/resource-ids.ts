import type { EndpointHealth } from '../../diagnostics/endpoint-health.js'
import { unavailable, type UnavailableError } from '../../errors.js'
import type { CallLimiter } from '../../keycloak/call-limiter.js'
import { Cancellation } from '../../keycloak/cancellation.js'
import type { KeycloakClient } from '../../keycloak/client.js'
import { CircuitBreaker } from '../../keycloak/circuit-breaker.js'
import { refusedBy } from '../../keycloak/refusals.js'
import { BoundedMap } from '../../util/bounded-map.js'
import { monotonicMilliseconds } from '../../util/clock.js'
import { Deadline } from '../../util/deadline.js'
import { isObject, member, parseArray, parseObject } from '../../util/strict-json.js'
import type { ProtectionToken } from './protection-token.js'

export interface ResourceIdsOptions {
  client: KeycloakClient
  token: ProtectionToken
  limiter: CallLimiter
  health: EndpointHealth
  /** The client whose resources these are. */
  resourceServer: string
  /** Milliseconds for a look-up: the turn and the call. */
  timeout: number
  /** Bytes of a response. */
  maxBytes: number
}

/** Names that are kept, with their ids. */
const MAX_KEPT = 1000

/** Milliseconds for which the id of a name is kept: afterwards the name may be that of another resource. */
const KEPT_FOR = 60_000

/** Keycloak finds names in upper and lower case alike; so many of them at the most. */
const MAX_FOUND = 32

/** Levels of a list of resources: the list, a resource, its scopes, a scope, its policies. */
const MAX_DEPTH = 8

interface KeptId {
  readonly id: string
  /** Milliseconds of the monotonic clock. */
  readonly ends: number
}

/**
 * The ids of this API's own resources, by name. A user who may own resources can give one the name of a resource of the API; asked
 * by name, Keycloak grants the one for the other.
 */
export class ResourceIds {
  readonly #options: ResourceIdsOptions
  readonly #breaker = new CircuitBreaker()
  readonly #kept = new BoundedMap<string, KeptId>(MAX_KEPT)
  readonly #underWay = new Map<string, Promise<string | undefined>>()

  constructor (options: ResourceIdsOptions) {
    this.#options = options
  }

  get health (): EndpointHealth {
    return this.#options.health
  }

  /**
   * @param caller the key of the caller, who gets a fair share of the connections
   * @returns `undefined` if the API has no resource of this name
   * @throws {KeycloakError} keycloak_unavailable
   */
  of (name: string, caller: unknown): Promise<string | undefined> {
    const kept = this.#kept.get(name)
    if (kept !== undefined && monotonicMilliseconds() < kept.ends) return Promise.resolve(kept.id)
    const underWay = this.#underWay.get(name)
    if (underWay !== undefined) return underWay
    const found = this.#find(name, caller).finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, found)
    return found
  }

  /** @returns was the id of one of these resources kept? It may be that of a resource that is gone. */
  forget (names: readonly string[]): boolean {
    return names.filter((name) => this.#kept.delete(name)).length > 0
  }

  async #find (name: string, caller: unknown): Promise<string | undefined> {
    const { health, token } = this.#options
    try {
      const first = await token.get()
      let body = await this.#whenFree(name, caller, first)
      if (body === undefined) {
        // Keycloak does not take the token any more: the keys of the realm were changed, or the service account was logged out.
        token.forget(first)
        body = await this.#whenFree(name, caller, await token.get()) ?? refused(403)
      }
      const id = idIn(body, name, this.#options.resourceServer)
      if (id !== undefined) this.#kept.set(name, { id, ends: monotonicMilliseconds() + KEPT_FOR })
      health.succeeded()
      return id
    } catch (error) {
      health.failed(error as UnavailableError)
      throw error
    }
  }

  /** @returns `undefined` if the token is refused */
  async #whenFree (name: string, caller: unknown, token: string): Promise<string | undefined> {
    const { limiter, timeout } = this.#options
    const place = limiter.enter(caller, new Cancellation())
    const deadline = new Deadline(timeout)
    try {
      const waited = place.turn === undefined ? 0 : await limiter.wait(place, place.turn, deadline)
      return await this.#fetch(name, token, deadline, waited)
    } finally {
      deadline.clear()
      limiter.leave(place)
    }
  }

  async #fetch (name: string, token: string, timeout: Deadline, waited: number): Promise<string | undefined> {
    const { client, resourceServer, maxBytes } = this.#options
    const query = new URLSearchParams({ name, exactName: 'true', owner: resourceServer, deep: 'true', max: String(MAX_FOUND) })
    this.#breaker.admit()
    try {
      const { status, body } = await client.fetch({ method: 'GET', path: `/authz/protection/resource_set?${query}`, token, timeout, maxBytes, anyStatus: true, waited })
      if (status >= 500) throw refusedBy(status)
      this.#breaker.succeeded()
      if (status === 401 || isTokenRefused(status, body)) return undefined
      if (status === 400 || status === 403) refused(status)
      if (status !== 200) throw refusedBy(status, body)
      return body
    } catch (error) {
      this.#breaker.failed(error as UnavailableError)
      throw error
    }
  }
}

/** Keycloak says by a status of its own that a token is unknown, logged out or ended. */
function isTokenRefused (status: number, body: string): boolean {
  const refusal = status === 403 ? parseObject(body, MAX_DEPTH) : undefined
  return refusal !== undefined && member(refusal, 'error') === 'invalid_bearer_token'
}

/** The id of the one resource of the API with this name. */
function idIn (body: string, name: string, owner: string): string | undefined {
  const found = (parseArray(body, MAX_DEPTH) ?? malformed()).filter((resource) => {
    if (!isObject(resource)) return malformed()
    const by = member(resource, 'owner')
    return member(resource, 'name') === name && isObject(by) && member(by, 'name') === owner
  })
  if (found.length !== 1) return undefined
  const id = member(found[0] as Record<string, unknown>, '_id')
  return typeof id === 'string' && /^[^#,\s]+$/.test(id) ? id : malformed()
}

/** The service account may not read the resources. */
function refused (status: number): never {
  throw unavailable('uma_protection_refused', 'bad-response', status)
}

function malformed (): never {
  throw unavailable('uma_answer_malformed')
}
