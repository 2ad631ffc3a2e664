import type { Revocation } from '../../types/revocation.js'
import { date } from '../token/claims.js'
import { notValid } from '../errors.js'
import { type JsonObject, member } from '../util/strict-json.js'
import type { PushedRevocation, PushKind } from './push.js'
import { checkExpiration } from './push-dates.js'
import { reasonFor } from '../reasons/reason.js'

const TYPES: ReadonlySet<string> = new Set(['jwt'])

/** Seconds from the making of an admin push until its `expiration`, which is its only date by Keycloak's own clock. */
const LIFETIME = 30

/** The client that a push of the admin console is for. */
export interface AdminPushOptions {
  clientId: string
  /** Seconds. */
  leeway: number
  /** Seconds by which the clocks of Keycloak and this API may differ. */
  skew: number
}

/** `{adminUrl}/k_push_not_before`: the not-before date of the realm, or of the client if that is later. */
export function notBeforePush (options: AdminPushOptions): PushKind {
  return {
    name: 'a push of not-before',
    types: TYPES,
    isOne: isAdminPush,
    read (payload, now): PushedRevocation {
      const { call, expiration } = checkAction(payload, 'PUSH_NOT_BEFORE', options, now)
      return { id: call.id, until: expiration + options.skew, revocations: [{ kind: 'realm', at: notBefore(payload), call }] }
    }
  }
}

/** `{adminUrl}/k_logout`: all sessions, by a not-before date; or the sessions that the push names. */
export function logoutPush (options: AdminPushOptions): PushKind {
  return {
    name: 'a logout by the admin URL',
    types: TYPES,
    isOne: isAdminPush,
    read (payload, now): PushedRevocation {
      const { call, expiration } = checkAction(payload, 'LOGOUT', options, now)
      const push = { id: call.id, until: expiration + options.skew }
      const sessions = sessionIds(payload)
      if (sessions === undefined) return { ...push, revocations: [{ kind: 'everybody', at: notBefore(payload), call }] }
      const at = Math.floor(expiration - LIFETIME)
      return { ...push, revocations: sessions.map((id): Revocation => ({ kind: 'session', id, at, call })) }
    }
  }
}

interface AdminPush {
  call: NonNullable<Revocation['call']>
  /** Seconds since 1970. */
  expiration: number
}

/** The realm's key signs tokens too, and a mapper may write any claim into them; but each of them has `typ`, and no push has it. */
function isAdminPush (payload: JsonObject): boolean {
  return !Object.hasOwn(payload, 'typ') && Object.hasOwn(payload, 'action')
}

function checkAction (payload: JsonObject, action: string, { clientId, leeway, skew }: AdminPushOptions, now: number): AdminPush {
  if (Object.hasOwn(payload, 'typ')) throw notValid('push_typ')
  if (member(payload, 'action') !== action) throw notValid('push_action_other')
  if (member(payload, 'resource') !== clientId) throw notValid('push_resource_other')
  const expiration = date(payload, 'expiration')
  if (expiration === undefined) throw notValid(reasonFor('push_claim_missing', { claim: 'expiration' }))
  const id = member(payload, 'id')
  if (typeof id !== 'string' || id === '') throw notValid(reasonFor('push_claim_not_string', { claim: 'id' }))
  checkExpiration(expiration, skew, now)
  return { call: { id, until: expiration + leeway }, expiration }
}

function notBefore (payload: JsonObject): number {
  const value = date(payload, 'notBefore')
  if (value === undefined || value < 0) throw notValid('push_not_before_missing')
  return value
}

/** Keycloak names sessions if the client's own adapter has told Keycloak of them. */
function sessionIds (payload: JsonObject): string[] | undefined {
  const ids = member(payload, 'keycloakSessionIds')
  if (ids === undefined || ids === null) return undefined
  const isId = (id: unknown): id is string => typeof id === 'string' && id !== ''
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every(isId)) throw notValid('push_sessions_malformed')
  return ids
}
