import type { FastifyBaseLogger } from 'fastify'
import { issuerLog } from '../diagnostics/issuer-log.js'
import { hasNoLogger, startLog } from '../diagnostics/start-log.js'
import { WarningSchedule } from '../diagnostics/warning-schedule.js'
import type { KeycloakError } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import type { Realm } from '../realm/realm.js'
import { explained, type Reason } from '../reasons/reason.js'
import { setUpReason } from '../reasons/set-up.js'
import { issuerMismatch } from '../token/token-reasons.js'
import { isTestRealm } from '../util/test-realms.js'

/** The realms that are searched for the one that signed a token of an unknown issuer. */
const MAX_REALMS = 100

/** A request or a token that was refused. */
export interface Refusal {
  error: KeycloakError
  /** The realm that a token has picked, which need not have verified it; `undefined` if it has picked none. */
  realm: Realm | undefined
  log: FastifyBaseLogger
  /** Gives the token; it may throw. */
  token: () => string | undefined
  /** The pattern of the route; `undefined` if there is none. */
  route: string | undefined
}

/**
 * Warns of refusals that a setting causes, once in ten minutes for each reason and realm. A warning is written only if a key of the
 * realm has signed the refused token: the signature is checked here, whatever has been checked before, so that no stranger can
 * write to the log.
 */
export class SetUpWarnings {
  readonly #issuerOf: Authority['issuerOf']
  readonly #directory: Pick<RealmDirectory, 'all' | 'isOfSeveral'>
  readonly #schedule = new WarningSchedule()

  constructor ({ issuerOf }: Pick<Authority, 'issuerOf'>, directory: Pick<RealmDirectory, 'all' | 'isOfSeveral'>) {
    this.#issuerOf = issuerOf
    this.#directory = directory
  }

  /** Warn of a refusal, if it is time and the token is the realm's. The answer to the client does not wait for that. */
  consider (refusal: Refusal): void {
    const { reasonCode } = refusal.error
    const kind = setUpReason(reasonCode)
    if (kind === undefined) return
    if (this.#schedule.mayCheck(causeOf(reasonCode, refusal.realm), kind === 'proven')) void this.#check(refusal).catch(() => {})
  }

  async #check ({ error, realm, log, token, route }: Refusal): Promise<void> {
    const text = token()
    if (text === undefined) return
    const signer = realm === undefined ? await this.#signerOf(text) : await realm.hasSigned(text) && realm
    if (!signer) return
    const reason = realm === undefined ? issuerMismatch(this.#issuerOf!(text), signer.issuer) : error
    if (!this.#schedule.mayWarn(causeOf(error.reasonCode, realm))) return
    this.#warn(reason, error, signer, log, route)
  }

  /** The realm that signed the token of an unknown issuer: Keycloak writes another `iss` if it is called by another host name. */
  async #signerOf (token: string): Promise<Realm | undefined> {
    let searched = 0
    for (const realm of this.#directory.all()) {
      if (searched++ === MAX_REALMS) return undefined
      if (await realm.hasSigned(token)) return realm
    }
    return undefined
  }

  #warn (reason: Reason, { statusCode, code }: KeycloakError, { name, issuer }: Realm, log: FastifyBaseLogger, route: string | undefined): void {
    // Tests refuse tokens all the time, and a process without a logger would print each first one.
    if (hasNoLogger(log) && isTestRealm(issuer)) return
    const lines = this.#directory.isOfSeveral ? issuerLog(startLog(log), name) : startLog(log)
    const { reasonCode } = reason
    lines.warn({ reasonCode, ...(route !== undefined && { route }) }, `request refused (${statusCode} ${code}), although the realm signed its token: ${explained(reason)}`)
  }
}

function causeOf (code: string, realm: Realm | undefined): string {
  return `${code} ${realm?.name ?? ''}`
}
