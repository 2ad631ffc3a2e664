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

/** The name of a check of the start. */
export type CheckName = 'discovery' | 'issuer' | 'keys' | 'introspection' | 'clock' | 'audience' | 'units'

/** A check that was made, and its findings: none if all is well. */
export interface CheckResult {
  name: CheckName
  findings: Finding[]
}

/** Check Keycloak once, and give the findings of all checks. */
export async function runChecks (context: DoctorContext): Promise<Finding[]> {
  return (await runEachCheck(context)).flatMap(({ findings }) => findings)
}

/**
 * Check Keycloak once: its discovery document and, if there is one, the keys and the client's credentials. Keys are fetched
 * by the key source of the plugin, so that the first request finds them there. They are fetched only after Keycloak has
 * answered, so that a failed fetch does not delay the next one when Keycloak starts later than the API.
 */
export async function runEachCheck ({ settings, keycloakClient, keys, introspection }: DoctorContext): Promise<CheckResult[]> {
  const discovered = await discover(keycloakClient, settings)
  const doubtful: CheckResult[] = [result('audience', checkAudience(settings)), { name: 'units', findings: unitsOf(settings) }]
  if (isFinding(discovered)) return [result('discovery', discovered), ...doubtful]
  const [ofKeys, ofIntrospection] = await Promise.all([
    keys && checkAlgorithms(keys, settings),
    checkCredentials(introspection, settings)
  ])
  return [
    result('discovery', undefined),
    result('issuer', checkIssuer(discovered.issuer, settings)),
    result('keys', ofKeys),
    result('introspection', ofIntrospection),
    result('clock', checkClock(discovered, settings)),
    ...doubtful
  ]
}

function result (name: CheckName, finding: Finding | undefined): CheckResult {
  return { name, findings: finding === undefined ? [] : [finding] }
}

function unitsOf (settings: RealmSettings): Finding[] {
  return suspiciousUnits(settings).map(({ option, sentence }) => ({ check: 'units', sentence, reason: option, certain: false }))
}
