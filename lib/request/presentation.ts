import type { FastifyReply } from 'fastify'
import type { Presentation } from '../realm/identification.js'

/** The request that presents a token, made only if the decision on the token looks at it. */
export class RequestPresentation implements Presentation {
  readonly #reply: FastifyReply

  constructor (reply: FastifyReply) {
    this.#reply = reply
  }

  /** A reply closes when it is sent, or when the client is gone. */
  onGone (listener: () => void): void {
    this.#reply.raw.once('close', listener)
  }
}

/** Is the client gone? A response of HTTP/2 does not tell, but its stream does. */
export function isGone ({ raw }: FastifyReply): boolean {
  return raw.destroyed || (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}
