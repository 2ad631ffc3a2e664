import { reasonOf } from '../errors.js'
import type { RealmSettings } from '../options/options.js'
import type { KeySource } from './key-source.js'

/**
 * Fetch the keys before the first request, if jwks.preload asks for it. Every failure is logged by the fetch itself.
 * @throws {Error} when they are required and cannot be fetched
 */
export async function preload (keys: KeySource, { jwks, baseUrl }: RealmSettings): Promise<void> {
  if (jwks.preload === 'warn') keys.preload().catch(() => {})
  if (jwks.preload !== 'require') return
  try {
    await keys.preload()
  } catch (error) {
    throw new Error(`fastify-keycloak-bearer: the keys of ${baseUrl} cannot be fetched (${reasonOf(error)}), and jwks.preload is "require"`)
  }
}
