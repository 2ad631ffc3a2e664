import { setTimeout as pause } from 'node:timers/promises'
import { type KeycloakError, notValid, unavailable } from '../errors.js'
import { type Header, type JwsRules, openJws, payloadOf } from '../jws.js'
import type { Key } from '../key-set.js'
import type { Keys } from '../keys.js'
import { seconds } from '../seconds.js'
import type { CallKind, Order } from './call.js'
import type { Once } from './once.js'

export interface InboxOptions {
  jws: Omit<JwsRules, 'types'>
  keys: Keys
  once: Once
  /** Carry an order out; rejects where it does not hold on every instance. */
  carryOut: (order: Order) => Promise<void>
}

/** Milliseconds between two looks for the keys that a call waits for. */
const LOOK_AGAIN = 250

/** How many calls may wait for keys: anybody can send one that nobody can check yet. */
const MAX_WAITING = 1000

/** The longest that one waits, in seconds: Keycloak's are void after two minutes, a forger's never. */
const MAX_WAIT = 600

/**
 * Takes one kind of call of Keycloak. Keycloak does not make a call twice, so one that nobody can check for want of
 * keys is kept until they are there.
 */
export class Inbox {
  readonly kind: CallKind
  readonly #options: InboxOptions
  readonly #rules: JwsRules
  /** By token: the same call again, while the first is under way, is the same call. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #end = new AbortController()
  #waiting = 0
  #next: Promise<void> | undefined

  constructor (kind: CallKind, options: InboxOptions) {
    this.kind = kind
    this.#options = options
    this.#rules = { ...options.jws, types: kind.types }
  }

  /**
   * Resolves once the call is carried out.
   * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
   */
  async take (token: string): Promise<void> {
    const underWay = this.#underWay.get(token) ?? this.#carryOut(token).finally(() => this.#underWay.delete(token))
    this.#underWay.set(token, underWay)
    return underWay
  }

  close (): void {
    this.#end.abort()
  }

  async #carryOut (token: string): Promise<void> {
    const { once, carryOut } = this.#options
    const jws = openJws(token, this.#rules)
    const { header } = jws
    const order = this.kind.read(payloadOf(jws, this.#rules))
    const key = await this.#key(header, order.until)
    key.verify(token)
    if (!once.take(order.id, order.until)) throw notValid('the call was made before')
    try {
      await carryOut(order)
    } catch (error) {
      // Whoever makes it again is right to.
      once.release(order.id)
      throw error
    }
  }

  /** The key that a call names, as soon as it can be had. */
  async #key (header: Header, until: number): Promise<Key> {
    const arrivedAt = performance.now()
    const key = await this.#look(header, arrivedAt)
    if (key !== undefined) return key
    if (this.#waiting >= MAX_WAITING) throw unavailable(`${MAX_WAITING} calls wait for keys already`)
    this.#waiting++
    try {
      return await this.#await(header, arrivedAt, Math.min(until, seconds() + MAX_WAIT))
    } finally {
      this.#waiting--
    }
  }

  async #await (header: Header, arrivedAt: number, until: number): Promise<Key> {
    while (seconds() < until) {
      await this.#nextLook()
      const key = await this.#look(header, arrivedAt)
      if (key !== undefined) return key
    }
    throw unavailable('the keys could not be had while the call was good')
  }

  /** One for all who wait. */
  async #nextLook (): Promise<void> {
    this.#next ??= pause(LOOK_AGAIN, undefined, { signal: this.#end.signal, ref: false }).finally(() => { this.#next = undefined })
    await this.#next.catch(() => { throw unavailable('the API closes') })
  }

  /** `undefined` where nobody can tell yet. */
  async #look ({ kid, alg }: Header, arrivedAt: number): Promise<Key | undefined> {
    const { keys } = this.#options
    try {
      return await keys.lookup(kid, alg)
    } catch (error) {
      // Right after a rotation the cooldown may forbid to ask for a key that nobody has seen yet.
      if ((error as KeycloakError).code === 'token_not_valid' && keys.isFinal(kid, alg, arrivedAt)) throw error
      return undefined
    }
  }
}
