import type { FastifyInstance } from 'fastify'
import type { Closing } from '../keycloak/closing.js'

/**
 * Start, and cancel the start's calls to Keycloak if `app.close()` is called meanwhile. Fastify runs the hooks of a close
 * only when every plugin has been loaded, so without this a close would wait until Keycloak has answered.
 * @throws {Error} if the start fails, or was cancelled by a close
 */
export async function startUnlessClosed (fastify: FastifyInstance, closing: Closing, start: () => Promise<void>): Promise<void> {
  const stop = onClose(fastify, () => closing.finish())
  try {
    await start()
  } catch (error) {
    throw closing.begun ? new Error('fastify-keycloak-bearer: the API was closed before Keycloak had answered') : error
  } finally {
    stop()
  }
}

/** @returns a function that removes the listener */
function onClose (fastify: FastifyInstance, listener: () => void): () => void {
  const root = ownerOf(fastify)
  const { close } = root
  const closeAndNotify = function (this: FastifyInstance, ...parameters: [() => void]): unknown {
    listener()
    return close.apply(this, parameters)
  } as FastifyInstance['close']
  root.close = closeAndNotify
  return () => {
    // If somebody has replaced `close` since, the replacement stays.
    if (root.close === closeAndNotify) root.close = close
  }
}

/** The instance that all scopes inherit `close` from. */
function ownerOf (fastify: FastifyInstance): FastifyInstance {
  return Object.hasOwn(fastify, 'close') ? fastify : ownerOf(Object.getPrototypeOf(fastify))
}
