/**
 * Claims that Keycloak leaves out of an introspection answer when the last role, group or scope in them is withdrawn. The
 * claim of the token must not stay then.
 */
export const WITHDRAWABLE: ReadonlySet<string> = new Set(['realm_access', 'resource_access', 'organization', 'groups', 'scope'])

/** Claims of the token that stay if an introspection answer lacks them: their mappers may be off for introspection. */
export const KEPT = ['act', 'may_act'] as const
