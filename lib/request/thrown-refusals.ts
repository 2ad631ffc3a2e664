import type { FastifyRequest } from 'fastify'
import { publishAuthorization } from '../access/authorization-events.js'
import { Caller } from '../access/caller.js'
import { authorization } from '../diagnostics/channels.js'
import { outcomeOf } from '../diagnostics/event-fields.js'
import type { KeycloakError } from '../errors.js'
import { realmOf } from '../realm/realm.js'
import { type AcceptedRequest, IDENTITY } from './auth-signals.js'
import type { Refusals } from './refusals.js'

/** The application gives no rule in words: the code of an event tells what it demands. */
const QUESTION = { source: 'thrown', rule: 'a refusal of the application' } as const

/** @returns a function that tells of each refusal which the application throws in a handler or a hook: debug log, counts, event */
export function createThrownRefusals (refusals: Refusals): (error: KeycloakError, request: FastifyRequest) => void {
  return (error, request) => {
    if (!refusals.ofApplication(error, request) || !authorization.hasSubscribers) return
    const identity = (request as AcceptedRequest)[IDENTITY]
    if (identity != null) publishAuthorization(QUESTION, new Caller(realmOf(identity).access, identity, request), outcomeOf(error, 'denied'))
  }
}
