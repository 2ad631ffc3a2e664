/** Claims that Keycloak leaves out of an answer when the last of what they hold is withdrawn: a token's must not outlive it. */
export const WITHDRAWABLE: ReadonlySet<string> = new Set(['realm_access', 'resource_access', 'organization', 'groups', 'scope'])

/** Claims that stay the token's whatever the answer lacks; their mappers need not be in introspection. */
export const KEPT = ['act', 'may_act'] as const
