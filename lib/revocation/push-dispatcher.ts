import { type KeycloakError, notValid } from '../errors.js'
import type { RateLimitedLog } from '../diagnostics/rate-limited-log.js'
import type { IssuerLookup } from './issuer-lookup.js'
import type { IssuerMemory } from './issuer-memory.js'
import type { PendingCall } from './push.js'
import type { PushName } from './push-kinds.js'
import { type Reception, warnOfLoss } from './push-receiver.js'

export interface PushDispatcherOptions {
  memory: IssuerMemory
  /** `undefined` if all realms are there for good. */
  lookup: IssuerLookup | undefined
  warnings: RateLimitedLog
}

/** A route's kind of push, and its name in words for the log. */
export interface DispatchedPush {
  push: PushName
  name: string
}

/** Gives the pushes of several issuers to the issuer that they are of. Its keys, clients and dates decide. */
export class PushDispatcher {
  readonly #options: PushDispatcherOptions

  constructor (options: PushDispatcherOptions) {
    this.#options = options
  }

  /** @param issuerOf reads the issuer, which nobody has verified; it throws KeycloakError token_not_valid */
  receive (kind: DispatchedPush, token: string, issuerOf: () => string): Reception {
    const call: PendingCall = { proven: false, late: false, issuer: undefined }
    return { call, done: this.#receive(kind, token, issuerOf, call) }
  }

  async #receive (kind: DispatchedPush, token: string, issuerOf: () => string, call: PendingCall): Promise<void> {
    const issuer = issuerOf()
    const { memory, lookup, warnings } = this.#options
    const take = (): Promise<void> | undefined => memory.get(issuer)?.take(kind.push, token, call)
    const taken = take()
    if (taken !== undefined) return taken
    if (lookup === undefined) throw notValid('issuer_unknown')
    let isTaken = false
    try {
      await lookup.find(issuer, token.length, () => {
        const done = take()
        isTaken = done !== undefined
        return done
      })
    } catch (error) {
      if (!isTaken) warnOfLoss(warnings, kind.name, call, error as KeycloakError)
      throw error
    }
  }
}
