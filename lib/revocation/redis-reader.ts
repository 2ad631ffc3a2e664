import { setTimeout as pause } from 'node:timers/promises'
import type { RevocationFollower } from '../../types/revocation.js'
import { isObject, member } from '../util/strict-json.js'
import { answerOf, type RedisClient } from './redis-client.js'
import { BATCH, BEGINNING, readEntry, type RedisStream } from './redis-stream.js'

/** Milliseconds after which an instance looks again whether another has given back what Redis lost. */
const RESTORE_INTERVAL = 250

/** Hands the entries of a stream to its follower, from one connection to the next. */
export class RedisReader {
  readonly stream: RedisStream
  readonly #follower: RevocationFollower
  #last = BEGINNING

  constructor (stream: RedisStream, follower: RevocationFollower) {
    this.stream = stream
    this.#follower = follower
  }

  /** Id of the last entry that was read. */
  get last (): string {
    return this.#last
  }

  /** Milliseconds. */
  get maxLag (): number {
    return this.#follower.maxLag
  }

  /** Read all entries that are there. */
  async read (connection: RedisClient): Promise<void> {
    await this.#catchUp(connection)
    this.#follower.upToDate()
  }

  failed (error: unknown): void {
    this.#follower.failed(error)
  }

  async #catchUp (connection: RedisClient): Promise<void> {
    const isLost = await this.#hasLostLast(connection)
    const known = new Set<string>()
    let from = isLost ? BEGINNING : this.#last
    let kept = Infinity
    for (;;) {
      const entries = await this.stream.range(connection, `(${from}`)
      for (const [id, members] of entries) {
        const { revocation, ...entry } = readEntry(members)
        kept = Math.min(kept, entry.kept)
        if (isLost) known.add(identityOf(revocation))
        this.#follower.receive(revocation)
        from = id
      }
      if (entries.length < BATCH) break
    }
    // The writer does not know of this API, for example after FLUSHALL, or wrote by hand.
    if (this.stream.isKeptTooBriefly(kept)) await this.stream.askToKeep(connection)
    if (isLost && !await this.#restore(connection, known)) return
    this.#last = from
  }

  /** A Redis that was restarted, flushed or failed over may have lost entries that instances which start later must know. */
  async #hasLostLast (connection: RedisClient): Promise<boolean> {
    if (this.#last === BEGINNING) return false
    const [entry] = await this.stream.range(connection, this.#last, 1)
    return entry?.[0] !== this.#last
  }

  /**
   * Give back the revocations that Redis lost; one instance at a time, so that the stream does not hold them once for each.
   * @returns false when another instance does so at the moment
   */
  async #restore (connection: RedisClient, known: ReadonlySet<string>): Promise<boolean> {
    const missing = [...this.#follower.current()].filter((revocation) => !known.has(identityOf(revocation)))
    if (missing.length === 0) return true
    if (!await this.stream.lockRestore(connection)) {
      await pause(RESTORE_INTERVAL, undefined, { ref: false })
      return false
    }
    for (let at = 0; at < missing.length; at += BATCH) {
      await answerOf(this.stream.add(connection, missing.slice(at, at + BATCH)))
    }
    await this.stream.unlockRestore(connection)
    return true
  }
}

/** Equal for two entries of the same revocation. */
function identityOf (revocation: unknown): string {
  const members = isObject(revocation) ? revocation : {}
  return JSON.stringify([member(members, 'kind'), member(members, 'id'), member(members, 'at')])
}
