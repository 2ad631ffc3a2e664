import type { KeycloakClient } from '../keycloak/client.js'
import { refusalIn } from '../keycloak/refusals.js'
import type { RealmSettings } from '../options/options.js'
import type { Finding } from './finding.js'
import { explainRefusal } from './refusal.js'

const PATH = '/protocol/openid-connect/token'

/** Keycloak's errors have a hundred bytes. */
const MAX_BYTES = 4096

/** The refusals that are about the realm, whoever asks. */
const OF_REALM: ReadonlySet<string> = new Set(['realm_disabled', 'https_required'])

/**
 * Check that the realm is switched on: Keycloak serves the discovery document and the keys of one that is not. The token
 * endpoint is asked for nothing, by nobody, and so refuses in any case; only a refusal for the sake of the realm counts.
 */
export async function checkRealmState (keycloakClient: KeycloakClient, settings: RealmSettings): Promise<Finding | undefined> {
  const call = { method: 'POST', path: PATH, form: 'grant_type=none', timeout: settings.jwks.timeout, maxBytes: MAX_BYTES, anyStatus: true } as const
  // Tokens may come by another address, so that no answer here tells nothing.
  const response = await keycloakClient.fetch(call).catch(() => undefined)
  const reasonCode = response && refusalIn(response.status, response.body)
  if (reasonCode === undefined || !OF_REALM.has(reasonCode)) return undefined
  return { ...explainRefusal(reasonCode, response!.status, settings)!, reasonCode, certain: true }
}
