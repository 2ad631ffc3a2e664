import type { Revocation } from '../../types/revocation.js'
import { date } from '../token/claims.js'
import { notValid } from '../errors.js'
import { type JsonObject, member } from '../util/strict-json.js'
import type { CallKind, Order } from './push.js'
import { checkEnd } from './call-dates.js'

const TYPES: ReadonlySet<string> = new Set(['jwt'])

/** Seconds from when Keycloak makes an action until its `expiration`: the only date by Keycloak's own clock. */
const LIFETIME = 30

/** Whom a push of the admin console is for. */
export interface ActionOptions {
  clientId: string
  /** Seconds. */
  leeway: number
  /** Seconds by which the clocks of Keycloak and this API may differ. */
  skew: number
}

/** `{adminUrl}/k_push_not_before`: the realm's not-before, or the client's own where that is later. */
export function pushNotBefore (options: ActionOptions): CallKind {
  return {
    name: 'a push of not-before',
    types: TYPES,
    isOne: isAction,
    read (payload, now): Order {
      const { call, expiration } = checkAction(payload, 'PUSH_NOT_BEFORE', options, now)
      return { id: call.id, until: expiration + options.skew, revocations: [{ kind: 'realm', at: notBefore(payload), call }] }
    }
  }
}

/** `{adminUrl}/k_logout`: all sessions, by a not-before; or those that are named. */
export function logoutAction (options: ActionOptions): CallKind {
  return {
    name: 'a logout by the admin URL',
    types: TYPES,
    isOne: isAction,
    read (payload, now): Order {
      const { call, expiration } = checkAction(payload, 'LOGOUT', options, now)
      const order = { id: call.id, until: expiration + options.skew }
      const sessions = sessionIds(payload)
      if (sessions === undefined) return { ...order, revocations: [{ kind: 'everybody', at: notBefore(payload), call }] }
      const at = Math.floor(expiration - LIFETIME)
      return { ...order, revocations: sessions.map((id): Revocation => ({ kind: 'session', id, at, call })) }
    }
  }
}

interface Action {
  call: NonNullable<Revocation['call']>
  /** Seconds since 1970. */
  expiration: number
}

/** The realm's key signs tokens too, and a mapper may write any claim into one: an action has no typ. */
function isAction (payload: JsonObject): boolean {
  return !Object.hasOwn(payload, 'typ') && Object.hasOwn(payload, 'action')
}

function checkAction (payload: JsonObject, action: string, { clientId, leeway, skew }: ActionOptions, now: number): Action {
  if (Object.hasOwn(payload, 'typ')) throw notValid('typ is there')
  if (member(payload, 'action') !== action) throw notValid('the action is not that of the route')
  if (member(payload, 'resource') !== clientId) throw notValid('the resource is not this client')
  const expiration = date(payload, 'expiration')
  if (expiration === undefined) throw notValid('expiration is missing')
  const id = member(payload, 'id')
  if (typeof id !== 'string' || id === '') throw notValid('id is not a string')
  checkEnd(expiration, skew, now)
  return { call: { id, until: expiration + leeway }, expiration }
}

function notBefore (payload: JsonObject): number {
  const value = date(payload, 'notBefore')
  if (value === undefined || value < 0) throw notValid('notBefore is missing or negative')
  return value
}

/** Keycloak names sessions where the client's own adapter had told it of them. */
function sessionIds (payload: JsonObject): string[] | undefined {
  const ids = member(payload, 'keycloakSessionIds')
  if (ids === undefined || ids === null) return undefined
  const good = (id: unknown): id is string => typeof id === 'string' && id !== ''
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every(good)) throw notValid('keycloakSessionIds is no list of sessions')
  return ids
}
