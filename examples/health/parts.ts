import type { Health } from 'fastify-keycloak-bearer'

export type Part = 'keys' | 'introspection' | 'revocation'

/**
 * - `ok`
 * - `degraded`: there is trouble, but requests with a token are answered as ever, or it is not known to last
 * - `failing`: requests with a token are answered 503
 */
export type Standing = 'ok' | 'degraded' | 'failing'

export interface Limits {
  /** As in the plugin's option `jwks.maxStale`, in milliseconds. */
  maxStale: number
  /** How long a failure of introspection counts, in milliseconds. */
  probeAfter: number
}

/** How each part stands that the plugin has. */
export function standings (health: Health, limits: Limits): Partial<Record<Part, Standing>> {
  const { keys, introspection, revocation } = health
  return {
    keys: ofKeys(keys, limits),
    ...(introspection && { introspection: ofIntrospection(introspection, limits) }),
    ...(revocation && { revocation: revocation.ok ? 'ok' : 'failing' })
  }
}

/** Keys that were fetched once serve on through an outage. An instance that has none yet can let nobody in. */
function ofKeys ({ ok, age }: Health['keys'], { maxStale }: Limits): Standing {
  if (age === null || age >= maxStale) return 'failing'
  return ok ? 'ok' : 'degraded'
}

/**
 * Only a request finds out that introspection works again. So when readiness depends on it, a failure must not count for
 * ever: without requests nobody would find out, and without readiness there are no requests.
 */
function ofIntrospection ({ ok, breaker, lastFailure }: NonNullable<Health['introspection']>, { probeAfter }: Limits): Standing {
  if (ok) return 'ok'
  const recent = Date.now() - Date.parse(lastFailure!) < probeAfter
  return breaker === 'open' && recent ? 'failing' : 'degraded'
}
