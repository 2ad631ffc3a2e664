import type { VerifyPresentation } from '../../types/instance.js'
import type { AuthenticationEvent } from '../../types/events.js'
import { authentication } from '../diagnostics/channels.js'
import { type Outcome, outcomeOf, plainOutcome } from '../diagnostics/event-fields.js'
import type { Authority } from '../realm/authority.js'
import type { Realm } from '../realm/realm.js'
import { isKept } from './decision-events.js'

/**
 * Verifies a token that does not come in a request, and publishes the decision on it.
 * @param verify calls back with the realm that decides
 */
export async function publishVerification<Result> (token: unknown, presentation: VerifyPresentation | undefined, { only, fromCache }: Pick<Authority, 'only' | 'fromCache'>, verify: (onRealm: (realm: Realm) => void) => Promise<Result>): Promise<Result> {
  const cached = typeof token === 'string' && isKept(token, fromCache)
  let realm = only
  const publish = (outcome: Outcome<AuthenticationEvent['outcome']>): void => authentication.publish({
    ...outcome,
    source: 'verify',
    issuer: realm?.name ?? null,
    scheme: presentation?.proof === undefined ? 'Bearer' : 'DPoP',
    cached,
    route: null
  })
  try {
    const result = await verify((picked) => { realm = picked })
    publish(plainOutcome('accepted'))
    return result
  } catch (error) {
    publish(outcomeOf(error, 'refused'))
    throw error
  }
}
