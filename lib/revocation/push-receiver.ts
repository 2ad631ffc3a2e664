import type { FastifyBaseLogger } from 'fastify'
import { type KeycloakError, notValid } from '../errors.js'
import { type Header, type Jws, type JwsRules, openJws, payloadOf } from '../token/jws.js'
import { ALGORITHMS } from '../options/values.js'
import { wallSeconds } from '../util/clock.js'
import type { KeyLookup } from './key-lookup.js'
import type { MemoryBudget, Reservation } from './memory-budget.js'
import { causeOf, describeRevocations, type PendingCall, type PushedRevocation, type PushKind } from './push.js'
import { MAX_BYTES } from './push-body.js'
import type { ReplayGuard } from './replay-guard.js'
import type { Warnings } from '../diagnostics/rate-limited-log.js'

export interface PushReceiverOptions {
  lookup: KeyLookup
  budget: MemoryBudget
  replayGuard: ReplayGuard
  /** Rejects when the revocations do not hold on every instance. */
  carryOut: (pushed: PushedRevocation) => Promise<void>
  log: FastifyBaseLogger
  warnings: Warnings
  /** The name of the issuer, if there are several. */
  issuer: string | undefined
}

/**
 * Keycloak signs pushes by the realm's default algorithm, which need not be that of access tokens, and the limits of access
 * tokens are not meant for pushes.
 */
const RULES: Omit<JwsRules, 'types'> = { algorithms: new Set<string>(ALGORITHMS), maxLength: MAX_BYTES, maxDepth: 32, typeOptional: true, onOtherAlgorithm: undefined, explain: undefined }

/** Limit of the header in characters. It is parsed before the signature is checked; Keycloak writes about 120. */
const MAX_HEADER = 1024

const REPEATED = Symbol('repeated pushes')

export function pushRules ({ types }: Pick<PushKind, 'types'>): JwsRules {
  return { ...RULES, types }
}

/**
 * The form and the header of a push, whose signature is not checked.
 * @throws {KeycloakError} token_not_valid
 */
export function openPush (token: string, rules: JwsRules): Jws {
  if (token.indexOf('.') > MAX_HEADER) throw notValid('push_header_too_long')
  return openJws(token, rules)
}

/** A line about a push that failed after its request was answered. */
export function warnOfLoss (warnings: Warnings, name: string, call: PendingCall, error: KeycloakError): void {
  const { reason, reasonCode } = error
  if (call.late) warnings.write(causeOf(call, error), `${name} that had to wait is lost: ${reason}`, reasonCode)
}

/** A push that is under way. */
export interface Reception {
  call: PendingCall
  /** Resolves when the push is carried out, or rejects with a KeycloakError: token_not_valid, keycloak_unavailable. */
  done: Promise<void>
}

/** Takes the pushes of one kind and one issuer. Keycloak does not repeat a push. */
export class PushReceiver {
  /** By the settings of the issuer's realm, which may have others when it is made again. */
  kind: PushKind
  readonly #options: PushReceiverOptions
  readonly #rules: JwsRules
  /** By id of the push: a repetition joins the first while that is being carried out. */
  readonly #running = new Map<string, Promise<void>>()

  constructor (kind: PushKind, options: PushReceiverOptions) {
    this.kind = kind
    this.#options = options
    this.#rules = pushRules(kind)
  }

  receive (token: string): Reception {
    const call: PendingCall = { proven: false, late: false, issuer: undefined }
    return { call, done: this.take(token, call) }
  }

  /** The same for a push that has waited for its realm. */
  async take (token: string, call: PendingCall): Promise<void> {
    call.issuer = this.#options.issuer
    try {
      await this.#carryOutOnce(await this.#read(token, call), call)
    } catch (error) {
      warnOfLoss(this.#options.warnings, this.kind.name, call, error as KeycloakError)
      throw error
    }
  }

  /** Until the signature is checked, the token is all that is kept, and its header is all that is parsed. */
  async #read (token: string, call: PendingCall): Promise<PushedRevocation> {
    const arrivedAt = wallSeconds()
    const key = await this.#options.lookup.find(this.#header(token), token.length)
    key.checkSignature(token)
    await key.verify(token)
    const claims = payloadOf(openJws(token, this.#rules), this.#rules)
    call.proven = this.kind.isOne(claims)
    return this.kind.read(claims, arrivedAt)
  }

  #header (token: string): Header {
    return openPush(token, this.#rules).header
  }

  async #carryOutOnce (pushed: PushedRevocation, call: PendingCall): Promise<void> {
    const running = this.#running.get(pushed.id)
    if (running !== undefined) return this.#join(running)
    if (!this.#options.replayGuard.take(pushed.id, pushed.until)) throw notValid('push_repeated')
    const done = this.#carryOut(pushed, call).finally(() => this.#running.delete(pushed.id))
    this.#running.set(pushed.id, done)
    return done
  }

  async #carryOut (pushed: PushedRevocation, call: PendingCall): Promise<void> {
    const { replayGuard, carryOut, log } = this.#options
    try {
      await carryOut(pushed)
    } catch (error) {
      // The push may be repeated, because it does not hold everywhere.
      replayGuard.release(pushed.id)
      throw error
    }
    const ended = { kind: pushed.revocations[0]!.kind, count: pushed.revocations.length }
    log.info({ ended }, `${this.kind.name} ${call.late ? 'that had to wait is carried out now' : 'was carried out'}: ${describeRevocations(pushed)}`)
  }

  /** A repetition waits for the first push, and its memory counts meanwhile. */
  #join (done: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const reservation: Reservation = { issuer: undefined, group: REPEATED, bytes: 0, evict: reject }
      this.#options.budget.reserve(reservation)
      done.finally(() => this.#options.budget.release(reservation)).then(resolve, reject)
    })
  }
}
