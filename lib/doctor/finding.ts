import type { StartCheckCode } from '../../types/options.js'
import type { RealmSettings } from '../options/options.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import { isRealmUrl } from '../options/realm-url.js'

/** A difference between the options and Keycloak, with the setting that corrects it. */
export interface Finding {
  /** For alerts; it never changes. */
  check: StartCheckCode
  /** One sentence. It quotes Keycloak only if that is a clean URL or an algorithm. */
  sentence: string
  /** The reason of the call that failed, or the name of an option. */
  reason?: string
  /** The code of that reason. */
  reasonCode?: KeycloakReasonCode
  /** `false`: requests may succeed in spite of the finding, so it never stops a start. */
  certain: boolean
  /** Keycloak cannot be reached, so that the other checks could not be made. */
  away?: boolean
}

/** The longest URL of Keycloak that is shown, in characters. */
const MAX_URL = 200

/** May the log show a URL that Keycloak sent? Only if it is short, and has nothing but an origin and a path. */
export function isShowable (url: string): boolean {
  return url.length <= MAX_URL && isRealmUrl(url)
}

/** The option that has the address of Keycloak. */
export function addressOption ({ serverUrl }: RealmSettings): 'issuer' | 'serverUrl' {
  return serverUrl === undefined ? 'issuer' : 'serverUrl'
}
