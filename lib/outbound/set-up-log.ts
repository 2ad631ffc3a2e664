import type { FastifyBaseLogger } from 'fastify'
import { BoundedMap } from '../util/bounded-map.js'
import type { Reason } from '../reasons/reason.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Least milliseconds between two lines of one cause. */
const INTERVAL = 600_000

/** Lines in that time, because an application may ask for whatever its clients name. */
const MAX_LINES = 20

/** Warns of a set-up that cannot work: one line for each cause, and few of all. */
export class SetUpLog {
  readonly #log: Pick<FastifyBaseLogger, 'warn'>
  readonly #writtenAt = new BoundedMap<string, number>(MAX_LINES)

  constructor (log: Pick<FastifyBaseLogger, 'warn'>) {
    this.#log = log
  }

  /** @param reason safe to show */
  warn ({ reason, reasonCode }: Reason): void {
    const now = monotonicMilliseconds()
    const isRecent = (at: number | undefined): boolean => at !== undefined && now - at < INTERVAL
    const isFull = this.#writtenAt.size === MAX_LINES && isRecent(this.#writtenAt.values().next().value)
    if (isFull || isRecent(this.#writtenAt.get(reason))) return
    this.#writtenAt.set(reason, now)
    this.#log.warn({ reason, reasonCode }, `Keycloak gives no token for another service: ${reason}`)
  }
}
