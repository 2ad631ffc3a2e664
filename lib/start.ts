import type { FastifyInstance } from 'fastify'
import type { Patient } from './doctor/examine.js'
import { StartCheck } from './doctor/start-check.js'
import { reasonOf } from './error-code.js'
import type { Keys } from './keys.js'
import { hasMember } from './members.js'
import type { Settings } from './options.js'
import type { StartLog } from './start-log.js'

/**
 * What else decorates the same request is found at start, and said in one sentence.
 * @throws {Error}
 */
export function refuseNeighbours (fastify: FastifyInstance): void {
  if (hasMember(fastify, 'keycloak')) {
    throw new Error('fastify-keycloak-bearer is registered in this scope already; for a second realm register it in a sibling scope')
  }
  const isDecorated = (name: string): boolean => fastify.hasRequestDecorator(name) && !(name in Object.prototype)
  if (isDecorated('user')) {
    throw new Error('fastify-keycloak-bearer: request.user is decorated by another plugin already; when it is @fastify/jwt, give that one the option decoratorName, such as "jwtUser"; when it is @fastify/passport, give its Authenticator the option userProperty, such as "sessionUser"')
  }
  if (isDecorated('auth') || isDecorated('hasPermission')) {
    throw new Error('fastify-keycloak-bearer: request.auth or request.hasPermission is decorated by another plugin already; register the two in sibling scopes')
  }
}

/**
 * Look at Keycloak once: in the background as soon as the server listens, or before the start goes on.
 * @throws {Error} when that is required and something is wrong
 */
export async function lookAtKeycloak (fastify: FastifyInstance, patient: Patient, log: StartLog): Promise<void> {
  const { startCheck } = patient.settings
  if (startCheck === false) return
  const check = new StartCheck(patient, log)
  if (startCheck === 'require') return check.require()
  fastify.addHook('onListen', async () => { check.watch() })
  fastify.addHook('onClose', async () => check.close())
}

/**
 * Fetch the keys before the first request, where that is wanted. Every failure is logged by whoever fetches.
 * @throws {Error} when they are required and cannot be had
 */
export async function preload (keys: Keys, { jwks, baseUrl }: Settings): Promise<void> {
  if (jwks.preload === 'warn') keys.preload().catch(() => {})
  if (jwks.preload !== 'require') return
  try {
    await keys.preload()
  } catch (error) {
    throw new Error(`fastify-keycloak-bearer: the keys of ${baseUrl} cannot be had (${reasonOf(error)}), and jwks.preload is "require"`)
  }
}
