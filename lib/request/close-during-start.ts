import type { FastifyInstance } from 'fastify'
import type { Closing } from '../keycloak/closing.js'

/**
 * Start, and end what the start waits for when `app.close()` is called meanwhile. Fastify calls the hooks of a close only
 * when every plugin has been loaded, and so a plugin that waits for Keycloak would have the close wait for the plugin.
 * @throws {Error} when the start fails, whether for the close or by itself
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

/** @returns a function that ends it */
function onClose (fastify: FastifyInstance, heard: () => void): () => void {
  const root = ownerOf(fastify)
  const { close } = root
  const hearing = function (this: FastifyInstance, ...parameters: [() => void]): unknown {
    heard()
    return close.apply(this, parameters)
  } as FastifyInstance['close']
  root.close = hearing
  return () => {
    // Whoever has put another in its place since goes on by it.
    if (root.close === hearing) root.close = close
  }
}

/** The instance that all scopes inherit `close` from. */
function ownerOf (fastify: FastifyInstance): FastifyInstance {
  return Object.hasOwn(fastify, 'close') ? fastify : ownerOf(Object.getPrototypeOf(fastify))
}
