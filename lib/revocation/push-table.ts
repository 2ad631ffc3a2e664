import { notValid } from '../errors.js'
import type { LogoutSettings } from '../options/options.js'
import type { KnownIssuers } from './known-issuers.js'
import { logoutTokenOf } from './logout-form.js'
import { LOGOUT_TYPES } from './logout-token.js'
import type { PushDispatcher } from './push-dispatcher.js'
import type { PushName } from './push-kinds.js'
import { type PushReceiver, pushRules } from './push-receiver.js'
import type { PushRouteSpec } from './push-routes.js'
import { unverifiedIssuer } from './unverified-issuer.js'

/** The paths of the routes. */
type PushPaths = Pick<LogoutSettings, 'backchannelLogout' | 'adminUrl'>

const FORM = { contentType: 'application/x-www-form-urlencoded', tokenOf: logoutTokenOf }
const TEXT = { contentType: 'text/plain', tokenOf: (body: string) => body.trim() }

/** The kinds of pushes in words. */
const NAMES: Readonly<Record<PushName, string>> = {
  backchannel: 'a back-channel logout',
  k_push_not_before: 'a push of not-before',
  k_logout: 'a logout by the admin URL'
}

/** Takes the pushes of one kind. */
type Receive = (push: PushName) => PushRouteSpec['receive']

/** The routes of one issuer: one for back-channel logouts, and two below the admin URL. */
export function routesOfOne (paths: PushPaths, receivers: Readonly<Record<PushName, PushReceiver>>): PushRouteSpec[] {
  return routes(paths, '', (push) => (token) => receivers[push].receive(token))
}

/**
 * The routes of several issuers. A logout token names its issuer. The pushes of the admin console do not, so the path of the admin URL
 * has its name: a parameter, because Keycloak sends the name encoded as the operator wrote it (`a&b` or `a%26b`).
 */
export function routesOfSeveral (paths: PushPaths, dispatcher: PushDispatcher, known: KnownIssuers): PushRouteSpec[] {
  const rules = pushRules({ types: LOGOUT_TYPES })
  return routes(paths, '/:realm', (push) => (token, realm) => dispatcher.receive({ push, name: NAMES[push] }, token, () =>
    push === 'backchannel' ? unverifiedIssuer(token, rules) : issuerNamed(realm!, known)))
}

function routes ({ backchannelLogout, adminUrl }: PushPaths, parameter: string, receive: Receive): PushRouteSpec[] {
  const spec = (push: PushName, url: string): PushRouteSpec =>
    ({ url, name: NAMES[push], receive: receive(push), ...(push === 'backchannel' ? FORM : TEXT) })
  const base = adminUrl?.replace(/\/$/, '')
  return [
    ...(backchannelLogout === undefined ? [] : [spec('backchannel', backchannelLogout)]),
    ...(base === undefined ? [] : (['k_push_not_before', 'k_logout'] as const).map((push) => spec(push, `${base}${parameter}/${push}`)))
  ]
}

function issuerNamed (name: string, known: KnownIssuers): string {
  const issuer = known.issuerOf(name)
  if (issuer === undefined) throw notValid('push_name_unknown')
  return issuer
}
