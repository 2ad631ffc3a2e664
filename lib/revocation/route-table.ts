import type { Settings } from '../options/options.js'
import { logoutAction, pushNotBefore } from './admin-push.js'
import { formToken } from './form.js'
import { logoutToken } from './logout-token.js'
import { Inbox, type InboxOptions } from './push-receiver.js'
import type { CallRoute } from './push-routes.js'

/** The routes that the options ask for: one for back-channel logouts, and two below the admin URL. */
export function pushRoutes (settings: Settings, skew: number, options: InboxOptions): CallRoute[] {
  const { backchannelLogout, adminUrl, issuer, leeway, clientId } = settings
  const routes: CallRoute[] = []
  if (backchannelLogout !== undefined) {
    const kind = logoutToken({ issuer, leeway, audience: new Set(backchannelLogout.clients) }, skew)
    routes.push({
      url: backchannelLogout.path,
      contentType: 'application/x-www-form-urlencoded',
      tokenOf: formToken,
      inbox: new Inbox(kind, options)
    })
  }
  if (adminUrl !== undefined) {
    const base = adminUrl.path.replace(/\/$/, '')
    const kinds = { k_push_not_before: pushNotBefore({ clientId, leeway, skew }), k_logout: logoutAction({ clientId, leeway, skew }) }
    for (const [name, kind] of Object.entries(kinds)) {
      routes.push({ url: `${base}/${name}`, contentType: 'text/plain', tokenOf: (body) => body.trim(), inbox: new Inbox(kind, options) })
    }
  }
  return routes
}
