import type { RealmSettings } from '../options/options.js'
import { logoutPush, notBeforePush } from './admin-push.js'
import { logoutTokenOf } from './logout-form.js'
import { backchannelLogout } from './logout-token.js'
import { PushReceiver, type PushReceiverOptions } from './push-receiver.js'
import type { PushRouteSpec } from './push-routes.js'

/**
 * The routes that the options ask for: one for back-channel logouts, and two below the admin URL.
 * @param skew seconds by which the clocks of Keycloak and this API may differ
 */
export function pushRoutes (settings: RealmSettings, skew: number, options: PushReceiverOptions): PushRouteSpec[] {
  return [...backchannelRoutes(settings, skew, options), ...adminRoutes(settings, skew, options)]
}

function backchannelRoutes ({ backchannelLogout: route, issuer, leeway }: RealmSettings, skew: number, options: PushReceiverOptions): PushRouteSpec[] {
  if (route === undefined) return []
  const kind = backchannelLogout({ issuer, leeway, audience: new Set(route.clients), audienceOptional: false, restrictions: undefined, explain: undefined }, skew)
  return [{
    url: route.path,
    contentType: 'application/x-www-form-urlencoded',
    tokenOf: logoutTokenOf,
    receiver: new PushReceiver(kind, options)
  }]
}

function adminRoutes ({ adminUrl, clientId, leeway }: RealmSettings, skew: number, options: PushReceiverOptions): PushRouteSpec[] {
  if (adminUrl === undefined) return []
  const base = adminUrl.path.replace(/\/$/, '')
  const kinds = { k_push_not_before: notBeforePush({ clientId, leeway, skew }), k_logout: logoutPush({ clientId, leeway, skew }) }
  return Object.entries(kinds).map(([name, kind]) => ({
    url: `${base}/${name}`,
    contentType: 'text/plain',
    tokenOf: (body) => body.trim(),
    receiver: new PushReceiver(kind, options)
  }))
}
