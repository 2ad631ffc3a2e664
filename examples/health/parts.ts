import type { Health } from 'fastify-keycloak-bearer'

export type Part = 'keys' | 'introspection' | 'revocation'

/**
 * - `ok`
 * - `degraded`: there is trouble, but requests with a token are answered as ever, or it is not known to last
 * - `failing`: requests with a token are answered 503
 */
export type Standing = 'ok' | 'degraded' | 'failing'

/** How each part stands that the plugin has. */
export function standings (health: Health): Partial<Record<Part, Standing>> {
  const { keys, introspection, revocation } = health
  return {
    keys: ofKeys(keys),
    ...(introspection && { introspection: ofIntrospection(introspection) }),
    ...(revocation && { revocation: revocation.ok ? 'ok' : 'failing' })
  }
}

/**
 * Keys that were fetched once serve on through an outage. An instance that has none yet can let nobody in, though `ok` is true
 * until a fetch has failed.
 */
function ofKeys ({ ok, state }: Health['keys']): Standing {
  if (state === 'not fetched yet' || state === 'expired') return 'failing'
  return ok ? 'ok' : 'degraded'
}

/** While it fails the plugin asks Keycloak now and then by itself, so an instance without requests finds out that it is over. */
function ofIntrospection ({ ok, breaker }: NonNullable<Health['introspection']>): Standing {
  if (ok) return 'ok'
  return breaker === 'open' ? 'failing' : 'degraded'
}
