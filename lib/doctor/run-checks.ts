import type { Introspection } from '../introspection/introspection.js'
import type { KeySource } from '../keys/key-source.js'
import type { RealmSettings } from '../options/options.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { checkAlgorithms } from './algorithms.js'
import { checkAudience } from './audience.js'
import { checkClock } from './clock.js'
import { checkCredentials } from './credentials.js'
import { discover, type Discovered } from './discovery.js'
import type { Finding } from './finding.js'
import { checkIssuer } from './issuer.js'
import { suspiciousUnits } from '../options/suspicious-units.js'

/** The settings to check, and the objects that call Keycloak for the checks. */
export interface DoctorContext {
  settings: RealmSettings
  keycloakClient: KeycloakClient
  /** Absent if signatures are not checked. */
  keys: KeySource | undefined
  /** Absent if requests are not introspected. */
  introspection: Introspection | undefined
}

function isFinding (discovered: Discovered | Finding): discovered is Finding {
  return Object.hasOwn(discovered, 'check')
}

/**
 * Check Keycloak once: its discovery document and, if there is one, the keys and the client's credentials. Keys are fetched
 * by the key source of the plugin, so that the first request finds them there. They are fetched only after Keycloak has
 * answered, so that a failed fetch does not delay the next one when Keycloak starts later than the API.
 */
export async function runChecks ({ settings, keycloakClient, keys, introspection }: DoctorContext): Promise<Finding[]> {
  const discovered = await discover(keycloakClient, settings)
  const doubtful = [checkAudience(settings), ...unitsOf(settings)].filter((each) => each !== undefined)
  if (isFinding(discovered)) return [discovered, ...doubtful]
  const asked = await Promise.all([
    keys && checkAlgorithms(keys, settings),
    checkCredentials(introspection, settings)
  ])
  const found = [checkIssuer(discovered.issuer, settings), ...asked, checkClock(discovered, settings)]
  return [...found.filter((each) => each !== undefined), ...doubtful]
}

function unitsOf (settings: RealmSettings): Finding[] {
  return suspiciousUnits(settings).map(({ option, sentence }) => ({ check: 'units', sentence, reason: option, certain: false }))
}
