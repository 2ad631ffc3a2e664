import type { FastifyReply } from 'fastify'
import type { Presentation } from '../realm/identification.js'
import type { Realm } from '../realm/realm.js'

export type Prove = NonNullable<Presentation['prove']>

/** The presentation of a token to a realm; `undefined` if neither the realm nor a check of bound tokens looks at it. */
export function presentationTo (realm: Pick<Realm, 'needsPresentation'>, reply: FastifyReply, prove: Prove | undefined): Presentation | undefined {
  return realm.needsPresentation || prove !== undefined ? new RequestPresentation(reply, prove) : undefined
}

/** The request that presents a token, made only if the decision on the token looks at it. */
class RequestPresentation implements Presentation {
  readonly prove: Prove | undefined
  readonly #reply: FastifyReply

  constructor (reply: FastifyReply, prove: Prove | undefined) {
    this.#reply = reply
    this.prove = prove
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
