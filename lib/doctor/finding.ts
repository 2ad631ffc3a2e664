import type { StartFinding } from '../../types/options.js'
import type { Settings } from '../options/options.js'
import { isRealmUrl } from '../options/realm-url.js'

/** What is wrong between the options and Keycloak, and the setting that mends it. */
export interface Finding {
  /** For alerts; it never changes. */
  check: StartFinding
  /** One sentence. What Keycloak said is in it only where it is a clean URL or an algorithm. */
  sentence: string
  /** Found by this: a code, a fixed phrase or the name of an option. */
  reason?: string
  /** `false`: requests may fare well all the same, so it never stops a start. */
  certain: boolean
  /** Keycloak is away, so the rest could not be looked at. */
  away?: boolean
}

/** What of a URL of Keycloak's may be shown, in characters. */
const MAX_URL = 200

/** May a URL that Keycloak sent stand in the log? Only one that is short, and plain origin and path. */
export function isShowable (url: string): boolean {
  return url.length <= MAX_URL && isRealmUrl(url)
}

/** The option that leads to Keycloak. */
export function addressOption ({ serverUrl }: Settings): 'issuer' | 'serverUrl' {
  return serverUrl === undefined ? 'issuer' : 'serverUrl'
}
