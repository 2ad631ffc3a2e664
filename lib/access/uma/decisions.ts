import type { FastifyBaseLogger } from 'fastify'
import type { UmaHealth } from '../../../types/instance.js'
import type { UmaGrant } from '../../../types/uma.js'
import { RateLimit } from '../../diagnostics/rate-limit.js'
import { UnavailableError } from '../../errors.js'
import { Cancellation, type Waiting } from '../../keycloak/cancellation.js'
import { RECOVERY } from '../../keycloak/recovery.js'
import type { TokenEndpoint } from '../../keycloak/token-endpoint.js'
import { reasonFor } from '../../reasons/reason.js'
import { BackgroundRetry } from '../../util/background-retry.js'
import { readAnswer, type UmaAnswer } from './answer.js'
import type { UmaRefusal } from './decider.js'
import { textOf, type UmaPermission } from './permission.js'
import { ProtectionToken } from './protection-token.js'
import { ResourceIds, type ResourceIdsOptions } from './resource-ids.js'
import { type Decision, SharedDecisions, type SharedDecisionsOptions } from './shared-decisions.js'

/** The caller that Keycloak decides about. */
export interface UmaSubject {
  readonly token: string
  /** Who shares the connections with others: a user, with any number of tokens. */
  readonly key: unknown
  /** Is the token bound to a key of DPoP proofs? */
  readonly isDpopBound: boolean
  /** Is the token made to be introspected, so that policies see no roles in it? */
  readonly isLightweight: boolean
  readonly waiting: Waiting | undefined
}

export interface UmaDecisionsOptions extends SharedDecisionsOptions {
  endpoint: TokenEndpoint
  /** `undefined` if the resources are those of another client, whose names this API cannot look up. */
  lookUp: Omit<ResourceIdsOptions, 'resourceServer' | 'token'> | undefined
  /** The client whose resources and policies decide. */
  resourceServer: string
  log: FastifyBaseLogger
}

const GRANT = 'urn:ietf:params:oauth:grant-type:uma-ticket'

/** Milliseconds between two warnings of one cause. */
const WARN_EVERY = 600_000

/** Stands for a token in a question that is only about whether Keycloak answers. */
const NO_TOKEN = 'is-anybody-there'

/** The form of Keycloak's own ids. */
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** The refusals that follow from a setting, so that they return until somebody changes it. */
const WARNED: readonly UmaRefusal[] = ['uma_resource_unknown', 'uma_scope_unknown', 'uma_dpop_bound', 'uma_name_foreign']

/** Keycloak's Authorization Services of one realm (UMA 2.0 Grant section 3.3.1, with Keycloak's `response_mode=permissions`). */
export class UmaDecisions {
  readonly #options: UmaDecisionsOptions
  /** The members of the form that are the same in each question. */
  readonly #form: string
  readonly #ids: ResourceIds | undefined
  readonly #shared: SharedDecisions
  readonly #warnings = new Map(WARNED.map((code) => [code, new RateLimit(WARN_EVERY)] as const))
  readonly #recoveryProbe = new BackgroundRetry(() => this.#probe(), RECOVERY)

  constructor (options: UmaDecisionsOptions) {
    this.#options = options
    this.#form = new URLSearchParams({ grant_type: GRANT, audience: options.resourceServer, response_mode: 'permissions', submit_request: 'false' }).toString()
    this.#shared = new SharedDecisions(options)
    const { lookUp, resourceServer, endpoint } = options
    this.#ids = lookUp && new ResourceIds({ ...lookUp, resourceServer, token: new ProtectionToken(endpoint) })
  }

  /**
   * @returns `undefined` if the subject has the permission
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async decide (subject: UmaSubject, permission: UmaPermission): Promise<Decision> {
    if (subject.isDpopBound) return this.#refused('uma_dpop_bound', permission.rule)
    return this.#shared.decide(subject.token, textOf(permission), subject.waiting, async (cancellation) => {
      const answer = await this.#grants(subject, [permission], cancellation)
      if (typeof answer === 'string') return answer
      if (isGranted(answer, permission)) return undefined
      return subject.isLightweight ? 'uma_lightweight' : 'uma_denied'
    })
  }

  /**
   * The permissions that the subject has of those that are asked for.
   * @param permissions `undefined`: of all, also of resources that users own
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async list (subject: UmaSubject, permissions: readonly UmaPermission[] | undefined): Promise<readonly UmaGrant[]> {
    const cancellation = new Cancellation()
    cancellation.join(subject.waiting)
    if (permissions?.length === 0) return []
    if (subject.isDpopBound) {
      this.#refused('uma_dpop_bound', permissions?.[0]!.rule ?? 'of all resources')
      return []
    }
    const answer = permissions === undefined ? await this.#ask(subject, [], cancellation) : await this.#grants(subject, permissions, cancellation)
    return typeof answer === 'string' ? [] : answer
  }

  health (): UmaHealth {
    const health = this.#options.endpoint.health()
    const names = this.#ids?.health.report()
    return names?.ok === false && health.ok ? { ...health, ...names } : health
  }

  /** Forget all decisions, and ask no more of its own accord. */
  close (): void {
    this.#recoveryProbe.close()
    this.#shared.close()
  }

  /**
   * The grants of the resources that are asked for, and of no resource of a user that has the name of one of them. Each is asked for
   * by its id.
   */
  async #grants (subject: UmaSubject, permissions: readonly UmaPermission[], cancellation: Cancellation, isAgain = false): Promise<UmaAnswer> {
    const ids = this.#ids
    // Names are of resources that there are, and Keycloak refuses all if the first is unknown.
    const ordered = permissions.toSorted((one, other) => Number(ID.test(one.resource)) - Number(ID.test(other.resource)))
    const found = await Promise.all(ordered.map(async (permission) => ({ ...permission, resource: await this.#idOf(permission.resource, subject) })))
    let asked = found.filter((each): each is UmaPermission => each.resource !== undefined)
    let answer: UmaAnswer = ids === undefined && asked.length === 0 ? 'uma_name_foreign' : 'uma_resource_unknown'
    while (answer === 'uma_resource_unknown' && asked.length > 0) {
      answer = await this.#ask(subject, asked, cancellation)
      // A resource was made anew under its name.
      if (answer === 'uma_resource_unknown' && !isAgain && ids?.forget(permissions.map(({ resource }) => resource)) === true) return this.#grants(subject, permissions, cancellation, true)
      asked = asked.slice(1)
    }
    if (typeof answer === 'string') return this.#refused(answer, permissions[0]!.rule)
    return this.#ofAsked(answer, new Set(found.map(({ resource }) => resource)), subject)
  }

  /** Drops the grants of other resources. A name may have the form of an id. */
  async #ofAsked (grants: readonly UmaGrant[], asked: ReadonlySet<string | undefined>, { key }: UmaSubject): Promise<UmaGrant[]> {
    const own: UmaGrant[] = []
    for (const grant of grants) {
      if (asked.has(grant.id) || (asked.has(grant.name) && await this.#look(grant.name, key) === grant.id)) own.push(grant)
    }
    return own
  }

  async #idOf (resource: string, { key }: UmaSubject): Promise<string | undefined> {
    return ID.test(resource) ? resource : this.#look(resource, key)
  }

  /** @returns `undefined` if this API has no resource of that name */
  async #look (name: string, caller: unknown): Promise<string | undefined> {
    return this.#ids && this.#watched(this.#ids.of(name, caller))
  }

  #ask ({ token, key }: Pick<UmaSubject, 'token' | 'key'>, permissions: readonly UmaPermission[], cancellation: Cancellation): Promise<UmaAnswer> {
    cancellation.queuedSince = undefined
    const asked = permissions.map((permission) => `&permission=${encodeURIComponent(textOf(permission))}`).join('')
    const form = `${this.#form}&subject_token=${encodeURIComponent(token)}${asked}`
    return this.#watched(this.#options.endpoint.call({ form, caller: key, cancellation, isOfUser: token !== NO_TOKEN }, readAnswer))
  }

  /** If the call fails, Keycloak is asked in the background until it answers again. */
  async #watched<Result> (call: Promise<Result>): Promise<Result> {
    try {
      return await call
    } catch (error) {
      if (error instanceof UnavailableError && error.failureKind !== 'local') this.#recoveryProbe.attemptSoon()
      throw error
    }
  }

  /** Of a text that is no token Keycloak says so: that is an answer. */
  async #probe (): Promise<void> {
    const ids = this.#ids
    await this.#ask({ token: NO_TOKEN, key: NO_TOKEN }, [], new Cancellation()).catch((error) => {
      if (error instanceof UnavailableError) throw error
    })
    if (ids?.health.report().ok === false) await ids.of(NO_TOKEN, NO_TOKEN)
  }

  /** One warning of each cause in a while. */
  #refused (refusal: UmaRefusal, rule: string): UmaRefusal {
    if (this.#warnings.get(refusal)?.allows() === true) this.#options.log.warn({ reasonCode: refusal }, `a caller was refused: ${reasonFor(refusal, { rule: `uma ${rule}` }).reason}`)
    return refusal
  }
}

/** Has one resource all scopes? */
function isGranted (grants: readonly UmaGrant[], { scopes }: UmaPermission): boolean {
  const granted = new Map<string, Set<string>>()
  for (const grant of grants) granted.set(grant.id, new Set([...granted.get(grant.id) ?? [], ...grant.scopes]))
  return [...granted.values()].some((each) => scopes.length > 0 ? scopes.every((scope) => each.has(scope)) : each.size === 0)
}
