import type { FastifyReply } from 'fastify'
import { isGone } from './presentation.js'

/** The property of a reply that holds the calls which wait for its end, so that it has one listener, however many calls wait. */
const WAITING = Symbol('fastify-keycloak-bearer.waiting')

/**
 * Tells a call that the request which waits for it is over.
 * @param listener is called when the reply is sent, or its client is gone; never if that was before
 * @returns ends it
 */
export function whenGone (reply: FastifyReply & { [WAITING]?: Set<() => void> }, listener: () => void): () => void {
  if (isGone(reply)) return () => {}
  const waiting = reply[WAITING] ??= waitingFor(reply)
  waiting.add(listener)
  return () => waiting.delete(listener)
}

function waitingFor ({ raw }: FastifyReply): Set<() => void> {
  const waiting = new Set<() => void>()
  raw.once('close', () => {
    for (const listener of waiting) listener()
  })
  return waiting
}
