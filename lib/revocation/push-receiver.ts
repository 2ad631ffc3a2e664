import type { FastifyBaseLogger } from 'fastify'
import { type KeycloakError, notValid } from '../errors.js'
import { type Header, type JwsRules, openJws, payloadOf } from '../token/jws.js'
import { ALGORITHMS } from '../options/options.js'
import { MAX_BYTES } from './body.js'
import { type CallKind, causeOf, describeOrder, type Order, type PendingCall } from './push.js'
import type { KeySearch } from './key-search.js'
import type { Once } from './replay-guard.js'
import type { Place, WaitingRoom } from './waiting-room.js'
import type { Warnings } from '../diagnostics/rate-limited-log.js'
import { wallSeconds } from '../util/clock.js'

export interface InboxOptions {
  search: KeySearch
  room: WaitingRoom
  once: Once
  /** Carry an order out; rejects where it does not hold on every instance. */
  carryOut: (order: Order) => Promise<void>
  log: FastifyBaseLogger
  warnings: Warnings
}

/**
 * Rules of their own: Keycloak signs calls by the realm's default algorithm, whatever access tokens are signed by, and
 * the limits of access tokens are none of theirs.
 */
const RULES: Omit<JwsRules, 'types'> = { algorithms: new Set<string>(ALGORITHMS), maxLength: MAX_BYTES, maxDepth: 32 }

/** Characters of the header, which is all that is looked at before the signature: Keycloak writes about 120. */
const MAX_HEADER = 1024

const REPEATED = Symbol('repeated calls')

/** Takes one kind of call of Keycloak, which does not make a call twice. */
export class Inbox {
  readonly kind: CallKind
  readonly #options: InboxOptions
  readonly #rules: JwsRules
  /** By id: the same call again, while the first is being carried out, is the same call. */
  readonly #underWay = new Map<string, Promise<void>>()

  constructor (kind: CallKind, options: InboxOptions) {
    this.kind = kind
    this.#options = options
    this.#rules = { ...RULES, types: kind.types }
  }

  /**
   * @returns `done` resolves once the call is carried out. It rejects with a KeycloakError: token_not_valid, token_expired,
   *   keycloak_unavailable
   */
  take (token: string): { call: PendingCall, done: Promise<void> } {
    const call: PendingCall = { proven: false, late: false }
    return { call, done: this.#take(token, call) }
  }

  async #take (token: string, call: PendingCall): Promise<void> {
    try {
      await this.#follow(await this.#order(token, call), call)
    } catch (error) {
      const { reason } = error as KeycloakError
      if (call.late) this.#options.warnings.write(causeOf(call, error as KeycloakError), `${this.kind.name} that had to wait is lost: ${reason}`)
      throw error
    }
  }

  /** Nothing but the token is kept until its signature is checked, and nothing but its header is read. */
  async #order (token: string, call: PendingCall): Promise<Order> {
    const now = wallSeconds()
    const key = await this.#options.search.find(this.#header(token), token.length)
    key.checkSignature(token)
    key.verify(token)
    const claims = payloadOf(openJws(token, this.#rules), this.#rules)
    call.proven = this.kind.isOne(claims)
    return this.kind.read(claims, now)
  }

  #header (token: string): Header {
    if (token.indexOf('.') > MAX_HEADER) throw notValid('the header is too long')
    return openJws(token, this.#rules).header
  }

  async #follow (order: Order, call: PendingCall): Promise<void> {
    const underWay = this.#underWay.get(order.id)
    if (underWay !== undefined) return this.#join(underWay)
    if (!this.#options.once.take(order.id, order.until)) throw notValid('the call was made before')
    const done = this.#carryOut(order, call).finally(() => this.#underWay.delete(order.id))
    this.#underWay.set(order.id, done)
    return done
  }

  async #carryOut (order: Order, call: PendingCall): Promise<void> {
    const { once, carryOut, log } = this.#options
    try {
      await carryOut(order)
    } catch (error) {
      // Whoever makes it again is right to.
      once.release(order.id)
      throw error
    }
    const ended = { kind: order.revocations[0]!.kind, count: order.revocations.length }
    log.info({ ended }, `${this.kind.name} ${call.late ? 'that had to wait is carried out now' : 'was carried out'}: ${describeOrder(order)}`)
  }

  /** Whoever makes the same call again waits for the first, and takes room meanwhile. */
  #join (done: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const place: Place = { group: REPEATED, bytes: 0, drop: reject }
      this.#options.room.enter(place)
      done.finally(() => this.#options.room.leave(place)).then(resolve, reject)
    })
  }
}
