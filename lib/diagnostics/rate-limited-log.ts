import type { FastifyBaseLogger } from 'fastify'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { aboutIssuer } from './issuer-log.js'

/** Milliseconds after which the budgets are whole again. */
const WINDOW = 10_000

/** Lines of one text in a window. */
const SAME = 10

/**
 * The causes of warnings, and how many lines each may write in a window. Each has its own budget, so that what strangers
 * cause at will hides nothing else.
 */
const LINES = {
  /** Calls without a valid signature: unreadable, unsigned, or another kind of token. */
  unproven: 10,
  /** Calls that wait for their key, after their answer. */
  waiting: 10,
  /** Calls whose key was never fetched, or that had no room to wait for it. */
  lost: 10,
  /** Calls that the realm signed and that were not carried out on every instance. */
  proven: 50,
  /** `revocation.max` is too few. */
  memory: 10,
  /** The store cannot be read or written. */
  store: 10,
  /** The store holds what is no revocation. */
  content: 10
}

/** The subject of a warning. */
export type Cause = keyof typeof LINES

/** Writes warnings. */
export interface Warnings {
  /**
   * @param text a fixed sentence: nothing that a stranger sent
   * @param reasonCode of the refusal that the line is about
   */
  write: (cause: Cause, text: string, reasonCode?: KeycloakReasonCode) => void
}

interface Budget {
  since: number
  /** The number of lines of each text, and of all. */
  texts: Map<string, number>
  lines: number
  unwritten: number
}

/** A log for warnings that strangers can cause at will: lines beyond the budget of their cause are counted, not written. */
export class RateLimitedLog implements Warnings {
  readonly #log: FastifyBaseLogger
  readonly #budgets = new Map<Cause, Budget>()

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  write (cause: Cause, text: string, reasonCode?: KeycloakReasonCode): void {
    this.#write(cause, text, { ...(reasonCode !== undefined && { reasonCode }) })
  }

  /** The same log, with the same budgets, for lines about one of several issuers. */
  about (issuer: string): Warnings {
    return {
      write: (cause, text, reasonCode) => this.#write(cause, aboutIssuer(issuer, text), { ...(reasonCode !== undefined && { reasonCode }), issuer })
    }
  }

  #write (cause: Cause, text: string, members: object): void {
    const budget = this.#budgetOf(cause)
    const times = budget.texts.get(text) ?? 0
    if (times === SAME || budget.lines === LINES[cause]) {
      budget.unwritten++
      return
    }
    budget.texts.set(text, times + 1)
    budget.lines++
    this.#log.warn({ ...members, ...(budget.unwritten > 0 && { unwritten: budget.unwritten }) }, text)
    budget.unwritten = 0
  }

  #budgetOf (cause: Cause): Budget {
    const now = monotonicMilliseconds()
    const known = this.#budgets.get(cause)
    if (known !== undefined && now - known.since < WINDOW) return known
    const budget = { since: now, texts: new Map<string, number>(), lines: 0, unwritten: known?.unwritten ?? 0 }
    this.#budgets.set(cause, budget)
    return budget
  }
}
