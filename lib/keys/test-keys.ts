import { createHash, type KeyObject } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { isTestOrDevelopment } from '../util/environment.js'
import { isTestRealm } from '../util/test-realms.js'
import { RateLimit } from '../diagnostics/rate-limit.js'

/**
 * The keys of the test realm, by `fingerprint`. Their private halves are published with this package, so that anybody can
 * sign by them. A test compares the list with lib/testing/fixed-keys.ts, which production must not load.
 */
const FINGERPRINTS: ReadonlySet<string> = new Set([
  '_rE4BIjFcrWOJenDtCnx9e58NSb-MhBuz6pPaNTOD94',
  'vvHT0XVRhzgFmN2ajQ17DDQNzS8Bhm5wXmEfcJizGMQ',
  'ER2mU0gVTrua9pj2wFzaKauJ9YjaAE_OlBSikKZ-6tE',
  'kUmuDeafmIwQefGq4L8qW3RPBzyCsrZgC5hU23YTG_0',
  'EF4ufU_9MtiguQNU_p6BTDQbMaChjqJcDxfi2WFkzA0',
  'c8qKhMcYLkHozbGYq9AyCv3ZqhX8zEjRDZToRUkJjeM',
  'nz9MvrY6k85DdCrdojKBXsJ3Vg30uFuIpscDm4fISoA'
])

/** Least time between two warnings, in milliseconds: about as often as a key set is fetched. */
const WARN_AGAIN = 600_000

/** The meaning of a key set without any other key, and the cure. */
export const TEST_KEYS = 'of the test realm of fastify-keycloak-bearer/testing, whose private halves are published with this package; they are ' +
  'left out, and tokens that they signed are 401. If a test realm runs in another process on purpose, set NODE_ENV to test or development; ' +
  'else find out who serves them, and end it'

/** The origin of the keys: either URL may be the test realm's. */
interface Origin {
  issuer: string
  baseUrl: string
}

/** Does a key of the realm's set count as absent? */
export type IsRefused = (key: KeyObject) => boolean

/** Refuses the published keys of the test realm, unless it is one of this process or NODE_ENV names tests or development. */
export function refuseTestKeys ({ issuer, baseUrl }: Origin, log: FastifyBaseLogger): IsRefused {
  const warning = new RateLimit(WARN_AGAIN)
  return (key) => {
    if (!FINGERPRINTS.has(fingerprint(key)) || isTestOrDevelopment() || isTestRealm(issuer) || isTestRealm(baseUrl)) return false
    if (warning.allows()) log.warn(`the key set of ${baseUrl} has keys ${TEST_KEYS}`)
    return true
  }
}

/**
 * The identity of a key, in whatever form it is written: the modulus of RSA, whose factors serve any exponent; of the others the
 * x coordinate or the Ed25519 point. node:crypto writes each number in one way, without leading zeros.
 */
export function fingerprint (key: KeyObject): string {
  const { n, x } = key.export({ format: 'jwk' })
  return createHash('sha256').update((n ?? x)!).digest('base64url')
}
