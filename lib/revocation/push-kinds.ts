import type { RealmSettings } from '../options/options.js'
import { NO_CONFIRMATION } from '../token/confirmation.js'
import { logoutPush, notBeforePush } from './admin-push.js'
import { backchannelLogout } from './logout-token.js'
import type { PushKind } from './push.js'

/** The kinds of pushes: back-channel logouts, and the two below the admin URL by the last part of their path. */
export type PushName = 'backchannel' | 'k_push_not_before' | 'k_logout'

/** The kinds of pushes by the settings of a realm, of which each has clients of its own. */
export function pushKinds ({ issuer, clientId, leeway, backchannelLogout: backchannel, revocation }: RealmSettings): Record<PushName, PushKind> {
  /** Seconds by which the dates of a push may be off. */
  const skew = Math.max(leeway, revocation!.leeway)
  const logout = { issuer, leeway, audience: new Set(backchannel?.clients), audienceOptional: false, restrictions: undefined, confirmation: NO_CONFIRMATION, explain: undefined }
  return {
    backchannel: backchannelLogout(logout, skew),
    k_push_not_before: notBeforePush({ clientId, leeway, skew }),
    k_logout: logoutPush({ clientId, leeway, skew })
  }
}
