import type { Health, RealmHealth } from '../../types/instance.js'
import type { RealmDirectory } from './directory.js'

/** The health of a function `issuers` whose realms nobody has asked for yet. */
const NO_REALM: RealmHealth = {
  ok: true,
  keys: { ok: true, lastSuccess: null, lastFailure: null, reason: null, state: 'not fetched yet', age: null, stale: false, count: 0 },
  introspection: null,
  revocation: null,
  uma: null,
  outbound: null
}

/**
 * The health of all realms. It is not ok only while no realm is, because the outage of one realm must not take the instance
 * from the users of the others. Nor may a stranger do that, who names a tenant that is away: realms that have accepted no token
 * do not count.
 */
export function healthOf (directory: RealmDirectory): Omit<Health, 'cache' | 'refusals'> {
  const entries = Array.from(directory.all(), (realm) => [realm.name, realm.health(), directory.isProven(realm)] as const)
  const healths = entries.map(([, health]) => health)
  if (!directory.isOfSeveral) return healths[0]!
  const shown = healths.find(({ ok }) => !ok) ?? healths[0] ?? NO_REALM
  const counted = entries.filter(([, , isProven]) => isProven)
  return { ...shown, ok: counted.length === 0 || counted.some(([, { ok }]) => ok), issuers: Object.fromEntries(entries) }
}
