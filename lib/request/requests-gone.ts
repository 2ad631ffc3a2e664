import type { FastifyReply } from 'fastify'
import { isGone } from './presentation.js'

/** Tells the calls that requests wait for when a request is over. Each reply has one listener, however many calls wait. */
export class RequestsGone {
  readonly #listeners = new WeakMap<FastifyReply, Set<() => void>>()

  /**
   * @param listener is called when the reply is sent, or its client is gone; never if that was before
   * @returns ends it
   */
  listen (reply: FastifyReply, listener: () => void): () => void {
    if (isGone(reply)) return () => {}
    const all = this.#listenersOf(reply)
    all.add(listener)
    return () => all.delete(listener)
  }

  #listenersOf (reply: FastifyReply): Set<() => void> {
    const known = this.#listeners.get(reply)
    if (known !== undefined) return known
    const all = new Set<() => void>()
    this.#listeners.set(reply, all)
    reply.raw.once('close', () => { for (const listener of all) listener() })
    return all
  }
}
