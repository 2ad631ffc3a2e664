import type { Introspection } from '../introspection/introspection.js'
import type { KeySource } from '../keys/key-source.js'
import type { Settings } from '../options/options.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { checkAlgorithms } from './algorithms.js'
import { checkAudience } from './audience.js'
import { checkClock } from './clock.js'
import { checkCredentials } from './credentials.js'
import { discover, type Discovered } from './discovery.js'
import type { Finding } from './finding.js'
import { checkIssuer } from './issuer.js'
import { suspiciousUnits } from '../options/suspicious-units.js'

/** What is looked at, and by what. */
export interface Patient {
  settings: Settings
  keycloakClient: KeycloakClient
  /** Absent where signatures are not checked. */
  keys: KeySource | undefined
  /** Absent where requests are not introspected. */
  introspection: Introspection | undefined
}

function isFinding (discovered: Discovered | Finding): discovered is Finding {
  return Object.hasOwn(discovered, 'check')
}

/**
 * One look at Keycloak: its discovery document, and where there is one the keys and the client's credentials. Keys are
 * fetched through lib/keys/, so the first request finds them there; not before it is known that somebody is at home, so
 * that a Keycloak that starts later is met as if nobody had asked.
 */
export async function examine ({ settings, keycloakClient, keys, introspection }: Patient): Promise<Finding[]> {
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

function unitsOf (settings: Settings): Finding[] {
  return suspiciousUnits(settings).map(({ option, sentence }) => ({ check: 'units', sentence, reason: option, certain: false }))
}
