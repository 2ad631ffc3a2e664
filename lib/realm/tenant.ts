import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { Presentation } from './identification.js'

/** The members of a realm that tenants need. */
export interface TenantRealm {
  readonly name: string
  readonly issuer: string
  identify (credentials: Credentials, presentation?: Presentation): MaybePromise<Identity>
  close (): Promise<void>
}

/** A realm that the function `issuers` gave, while it is open. */
export class Tenant<R extends TenantRealm> {
  readonly realm: R
  /** Requests that the realm identifies now; at first one for all that wait for the realm. */
  uses = 1
  /** Has the realm accepted a token since it was opened? */
  isProven = false
  /** The turn in which a token of it was accepted last: of two tenants the later one has the greater number. */
  usedAt = 0
  /** Has it ended, so that it closes with its last use? */
  isEnded = false
  /** If it has ended: does it open again when it accepts its first token after all? */
  mayReturn = false
  /** Resolves when the realm has answered its first request. */
  readonly settled: Promise<void>
  /** It has. */
  settle!: () => void

  constructor (realm: R) {
    this.realm = realm
    this.settled = new Promise((resolve) => { this.settle = resolve })
  }
}
