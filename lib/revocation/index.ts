import type { FastifyInstance } from 'fastify'
import type { RevocationHealth } from '../../types/instance.js'
import type { AccessTokenClaims } from '../../types/user.js'
import type { Closing } from '../keycloak/closing.js'
import { unavailable } from '../errors.js'
import type { Keys } from '../keys/key-source.js'
import type { Settings } from '../options/options.js'
import { logoutAction, pushNotBefore } from './admin-push.js'
import type { Order } from './push.js'
import { formToken } from './form.js'
import { Inbox, type InboxOptions } from './push-receiver.js'
import { KeySearch } from './key-search.js'
import { logoutToken } from './logout-token.js'
import { Once } from './replay-guard.js'
import { Patience } from './patience.js'
import { Revocations } from './revocation-list.js'
import { addCallRoute, type CallRoute } from './push-routes.js'
import { Spread } from './store-sync.js'
import { WaitingRoom } from './waiting-room.js'
import { Warnings } from '../diagnostics/rate-limited-log.js'

/** What was logged out or lies before not-before is refused. */
export interface Revoked {
  /**
   * In memory, and at once.
   * @throws {KeycloakError} token_not_valid, or keycloak_unavailable while the store has not been heard of for too long
   */
  check: (claims: AccessTokenClaims) => void
  health: () => RevocationHealth
  /** Add the routes that Keycloak calls, and follow the store until the API closes. */
  start: () => Promise<void>
}

export function createRevoked (settings: Settings, revocation: NonNullable<Settings['revocation']>, keys: Keys, fastify: FastifyInstance, closing: Closing): Revoked {
  const { store, maxTokenLifetime, max, maxLag } = revocation
  const { issuer, leeway } = settings
  const skew = Math.max(leeway, revocation.leeway)
  const warnings = new Warnings(fastify.log)
  const once = new Once(max)
  const revocations = new Revocations({
    maxTokenLifetime,
    leeway,
    max,
    introspected: settings.verifyTokensWithKeycloak,
    onFull: () => warnings.write('memory', 'revocation.max sessions and users are remembered: all tokens older than the oldest of them are refused from now on')
  })
  const spread = store && new Spread({
    store,
    issuer,
    maxLag,
    lifetime: maxTokenLifetime + leeway,
    current: () => revocations.current(),
    holds: (revocation) => revocations.holds(revocation),
    take (revocation) {
      revocations.take(revocation)
      if (revocation.call !== undefined) once.take(revocation.call.id, revocation.call.until + skew)
    },
    log: fastify.log,
    warnings,
    closing
  })
  const room = new WaitingRoom()
  const search = new KeySearch(keys, room, settings.jwks.cooldown)
  const routes = routesOf(settings, skew, { search, room, once, carryOut, log: fastify.log, warnings })

  return {
    check (claims) {
      revocations.check(claims)
      if (spread !== undefined && !spread.ok) throw unavailable('the store of revocations was not heard of for more than revocation.maxLag')
    },
    health: () => ({
      ok: spread?.ok ?? true,
      entries: revocations.size,
      notBefore: revocations.notBefore,
      lag: spread === undefined || spread.lag === null ? null : Math.round(spread.lag)
    }),
    async start () {
      fastify.addHook('preClose', async () => { search.close() })
      fastify.addHook('onClose', async () => spread?.close())
      const common = { room, patience: new Patience(), warnings, closing }
      for (const route of routes) await addCallRoute(fastify, route, common)
      await spread?.start()
    }
  }

  /** Here first, so that a store that fails opens nothing. */
  async function carryOut (order: Order): Promise<void> {
    for (const revocation of order.revocations) revocations.take(revocation)
    if (spread !== undefined) await Promise.all(order.revocations.map((revocation) => spread.publish(revocation)))
  }
}

function routesOf ({ backchannelLogout, adminUrl, issuer, leeway, clientId }: Settings, skew: number, options: InboxOptions): CallRoute[] {
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
