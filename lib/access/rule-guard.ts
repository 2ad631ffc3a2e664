import type { RouteAccess } from '../../types/instance.js'
import type { ConfirmationRules } from '../options/confirmation-rules.js'
import type { AuthenticationRule } from './authentication-rule.js'
import type { Check, Rule } from './rule.js'

/** The checks of a route or of an MCP tool, compiled from its config once. */
export interface RuleGuard {
  /** The access as `routes()` and the OpenAPI document show it. */
  access: RouteAccess['access']
  /** Does the route's own config demand a token? If so, a CORS preflight needs one too. */
  ownRule: boolean
  /** The compiled `permission`; `undefined` without one. */
  check: Check | undefined
  /** Do the same claims always get the same answer from `check`, however late? */
  dependsOnClaimsOnly: boolean
  /** The names of the issuers whose tokens are allowed; `undefined`: all. */
  issuers: ReadonlySet<string> | undefined
  /** Does `check` look at the roles at `permissionPath`? */
  readsRoles: boolean
  /** The words that the `scope` claim must contain. */
  scopes: readonly string[]
  /** The scopes that challenges ask for: those, and those of `permission`. Whether a client wants refresh tokens is its own affair. */
  askedScopes: readonly string[]
  /** All scopes that the rule names, of alternatives too. */
  namedScopes: readonly string[]
  /** The login that the route demands; `undefined`: any. */
  authentication: AuthenticationRule | undefined
  /** Must the token be bound to a key? */
  senderConstrained: boolean
  /** How tokens come, and how their keys are proven; `undefined` if the plugin has not seen the route. */
  confirmation: ConfirmationRules | undefined
  /** The part of the rule whose denial is a 403, in words; `undefined` if a token that is let in may always call the route. */
  grants: string | undefined
  /** The rule in words. */
  text: string | undefined
  /** The whole `permission`, for the reason of a refusal; `undefined` without one. */
  permission: Rule | undefined
}
