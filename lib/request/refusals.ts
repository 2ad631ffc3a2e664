import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { issuerLog } from '../diagnostics/issuer-log.js'
import { writesDebug } from '../diagnostics/log-level.js'
import type { KeycloakError } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import type { Realm } from '../realm/realm.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import { presentedToken } from './presented-token.js'
import { SetUpWarnings } from './set-up-warnings.js'
import { pickedRealm } from './several-issuers.js'

/** Is told of each refusal: counts it, writes it to the debug log, and warns if a setting causes it. */
export class Refusals {
  readonly #only: Realm | undefined
  readonly #isOfSeveral: boolean
  readonly #log: FastifyBaseLogger
  readonly #warnings: SetUpWarnings
  readonly #counts = new Map<KeycloakReasonCode, number>()

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
    // It need not have verified the token.
    const realm = this.#only ?? pickedRealm(request) ?? undefined
    const { log } = request
    if (writesDebug(log)) this.#writeDebug(error, log, realm)
    this.#count(error.reasonCode)
    this.#warnings.consider({ error, realm, log, token: () => presentedToken(request), route: request.routeOptions.url })
  }

  /** `app.keycloak.verify()` refused a token. */
  ofToken (error: KeycloakError, token: string, realm: Realm | undefined): void {
    this.#count(error.reasonCode)
    this.#warnings.consider({ error, realm, log: this.#log, token: () => token, route: undefined })
  }

  /** Codes are a closed list, so the counts are bounded. */
  #count (code: KeycloakReasonCode): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }

  #writeDebug ({ code, reason, reasonCode }: KeycloakError, log: FastifyBaseLogger, realm: Realm | undefined): void {
    const lines = realm !== undefined && this.#isOfSeveral ? issuerLog(log, realm.name) : log
    lines.debug({ code, reason, reasonCode }, `request refused: ${reason}`)
  }
}
