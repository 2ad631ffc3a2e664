import type { AcrRule } from './authentication.js'
import type { IssuerRule, PermissionRule, ScopeRule } from './rules.js'
import type { Claims, User } from './user.js'
import type { WriteInstead } from './write-instead.js'

/** The rule of a tool as an object: the members that a route's config has, at least one of them. */
export interface ToolRuleConfig {
  /** The rule that a caller must fulfil, as `config.permission`. */
  readonly permission?: PermissionRule
  /** The scopes that the token must have, as `config.scope`. */
  readonly scope?: ScopeRule
  /** The issuers whose tokens may call the tool, as `config.issuer`. */
  readonly issuer?: IssuerRule
  /** The levels of authentication of which the login must have one, as `config.acr`. */
  readonly acr?: AcrRule
  /** The greatest time since the login in seconds, as `config.maxAge`. */
  readonly maxAge?: number
  /** Any valid token may call the tool. */
  readonly authenticated?: true | WriteInstead<'true, or leave it out'>
  /** Everybody whom the route lets in may call the tool, anonymous callers of a public route too. */
  readonly public?: true | WriteInstead<'true, or leave it out'>
  /** @deprecated Misspelled: write `scope`. */
  readonly scopes?: WriteInstead<'scope'>
  /** @deprecated Misspelled: write `permission`. */
  readonly permissions?: WriteInstead<'permission'>
}

/**
 * Who may call a tool: who has the scope, all scopes of an array, or who fulfils the members of an object; `false`: nobody.
 *
 * @example
 * 'notes:write'
 * { scope: 'notes:write', acr: 'gold' }
 */
export type ToolRule = ScopeRule | (ToolRuleConfig & object) | false

/** The rules of tools by their names. The name `*` stands for all tools that are not named; without it the rule of the route is enough for them. */
export type ToolRules = Readonly<Record<string, ToolRule>>

/** `config.mcp` */
export type McpRule = true | {
  /**
   * The rules of tools, which are checked before the handler of the route, where the client can answer the challenge. They need
   * the parsed body of the request.
   * @example
   * tools: { 'write-note': 'notes:write', 'delete-note': { scope: 'notes:write', acr: 'gold' }, '*': false }
   */
  readonly tools: ToolRules
}

/**
 * The caller as the transports of the official TypeScript SDK read it from `request.raw.auth`; tools get it as `authInfo`. It has
 * the form of the SDK's `AuthInfo`.
 */
export type McpAuthInfo = {
  /** The access token. It is meant for this API: never send it to another one. */
  token: string
  /** The client that the token was issued to, the claim `azp`; empty if the token names none. */
  clientId: string
  /** The words of the claim `scope`. */
  scopes: string[]
  /** The end of the token, in seconds since 1970. */
  expiresAt: number
  /** The option `resource`. */
  resource?: URL
  /** The verified claims, deeply frozen, and `request.user`. */
  extra: { claims: Claims, user: User }
}
