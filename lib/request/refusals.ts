import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { issuerLog } from '../diagnostics/issuer-log.js'
import { writesDebug } from '../diagnostics/log-level.js'
import type { KeycloakError } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import type { Realm } from '../realm/realm.js'
import { isReason, type KeycloakReasonCode, reasonFor } from '../reasons/reason.js'
import { presentedToken } from './presented-token.js'
import { SetUpWarnings } from './set-up-warnings.js'
import { pickedRealm } from './several-issuers.js'

const NO_REASON = reasonFor('refused_by_application', { sentence: 'the application gave no reason' })

/** Is told of each refusal: counts it, writes it to the debug log, and warns if a setting causes it. */
export class Refusals {
  readonly #only: Realm | undefined
  readonly #isOfSeveral: boolean
  readonly #log: FastifyBaseLogger
  readonly #warnings: SetUpWarnings
  readonly #counts = new Map<KeycloakReasonCode, number>()
  /** The refusals of this plugin, which Fastify's onError hook shows again, or which a handler throws on. */
  readonly #told = new WeakSet<KeycloakError>()

  /** @param log for tokens that come in no request */
  constructor (authority: Pick<Authority, 'only' | 'issuerOf'>, directory: Pick<RealmDirectory, 'all' | 'isOfSeveral'>, log: FastifyBaseLogger) {
    this.#only = authority.only
    this.#isOfSeveral = directory.isOfSeveral
    this.#log = log
    this.#warnings = new SetUpWarnings(authority, directory)
  }

  /** The refusals of each reason since the start. */
  counts (): Partial<Record<KeycloakReasonCode, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** A request was refused. */
  ofRequest (error: KeycloakError, request: FastifyRequest): void {
    this.#told.add(error)
    const realm = this.#realmOf(request)
    const { log } = request
    if (writesDebug(log)) this.#writeDebug(error, log, realm)
    this.#count(error.reasonCode)
    this.#warnings.consider({ error, realm, log, token: () => presentedToken(request), route: request.routeOptions.url })
  }

  /**
   * A refusal ended a request: Fastify's onError hook. One that the application has thrown is counted and written to the debug log.
   * @returns has the application thrown it?
   */
  ofApplication (error: KeycloakError, request: FastifyRequest): boolean {
    if (this.#told.has(error)) return false
    const { code } = error
    // An error of another copy of the package has a reason, and one that only looks like such an error has none.
    const { reason, reasonCode } = isReason(error) ? error : NO_REASON
    const { log } = request
    if (writesDebug(log)) this.#writeDebug({ code, reason, reasonCode }, log, this.#realmOf(request))
    this.#count(reasonCode)
    return true
  }

  /**
   * `app.keycloak.verify()` refused a token.
   * @param own the error that the caller of `verify()` gets
   */
  ofToken (error: KeycloakError, own: KeycloakError, token: string, realm: Realm | undefined): void {
    this.#told.add(own)
    this.#count(error.reasonCode)
    this.#warnings.consider({ error, realm, log: this.#log, token: () => token, route: undefined })
  }

  /** The realm that a request has picked, which need not have verified its token. */
  #realmOf (request: FastifyRequest): Realm | undefined {
    return this.#only ?? pickedRealm(request) ?? undefined
  }

  /** Codes are a closed list, so the counts are bounded. */
  #count (code: KeycloakReasonCode): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }

  #writeDebug ({ code, reason, reasonCode }: Pick<KeycloakError, 'code' | 'reason' | 'reasonCode'>, log: FastifyBaseLogger, realm: Realm | undefined): void {
    const lines = realm !== undefined && this.#isOfSeveral ? issuerLog(log, realm.name) : log
    lines.debug({ code, reason, reasonCode }, `request refused: ${reason}`)
  }
}
