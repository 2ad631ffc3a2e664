import type { AcrRule } from './authentication.js'
import type { McpRule } from './mcp.js'
import type { IssuerRule, PermissionRule, ScopeRule } from './rules.js'
import type { WriteInstead } from './write-instead.js'

/**
 * The members of a route's `config` that the plugin reads. `permission`, `scope`, `issuer`, `acr` and `maxAge` can be combined;
 * `public` and `keycloak` cannot be combined with the others.
 * @throws {TypeError} when a route is added whose rule is not valid, or contradicts another
 */
export interface KeycloakRouteConfig {
  /**
   * The rule that a caller must fulfil: a role in the claim that the option `permissionPath` names, a rule about another
   * claim, or several of them. A caller who does not fulfil it gets 403 `permission_denied`, an anonymous caller 401
   * `not_authenticated`.
   *
   * @example
   * permission: 'read-profile'                          // a role
   * permission: ['read', 'write']                       // all of them
   * permission: { any: ['admin', ['read', 'write']] }   // any of them
   * permission: { clientRole: 'reader', client: 'billing' }
   * permission: { group: '/staff/**' }
   * permission: (claims, request) => claims.azp === 'web'
   */
  permission?: PermissionRule
  /**
   * The words that the `scope` claim must contain, all of them. A caller without them gets 403 `permission_denied`, an
   * anonymous caller 401 `not_authenticated`.
   *
   * @example
   * scope: 'write'
   * scope: ['read', 'write']
   */
  scope?: ScopeRule
  /**
   * The names of the issuers whose tokens the route takes. A caller with a token of another issuer gets 403
   * `permission_denied`, an anonymous caller 401 `not_authenticated`.
   *
   * @example
   * issuer: 'acme'
   * issuer: ['acme', 'globex']
   */
  issuer?: IssuerRule
  /**
   * The levels of authentication of which the login must have one, by the claim `acr`; with the option `acrLevels` a higher one is
   * good for a lower one. A caller whose login is weaker gets 401 `insufficient_user_authentication`, whose challenge says what
   * the client has to ask for (RFC 9470).
   *
   * @example
   * acr: 'gold'
   * acr: ['gold', 'platinum']
   */
  acr?: AcrRule
  /**
   * The greatest time since the login, by the claim `auth_time`: a whole number of seconds from 1. A caller whose login is older,
   * or whose token does not tell, gets 401 `insufficient_user_authentication` (RFC 9470).
   *
   * @example
   * maxAge: 300
   */
  maxAge?: number
  /**
   * The token must be bound to a key, by DPoP (RFC 9449) or by a client certificate (RFC 8705); any other is 401
   * `token_not_valid`, an anonymous caller 401 `not_authenticated`. It needs the option `dpop` or `mtls`.
   */
  senderConstrained?: true | WriteInstead<'true, or leave it out'>
  /**
   * The route serves the Model Context Protocol: it demands a valid token unless `public: true` is there, and the transports of the
   * official TypeScript SDK find the caller in `request.raw.auth` ({@link McpAuthInfo}). With `tools`, each tool has a rule of its
   * own, which is checked before the handler.
   *
   * @example
   * mcp: true
   * mcp: { tools: { 'write-note': 'notes:write', 'delete-note': { scope: 'notes:write', acr: 'gold' } } }
   */
  mcp?: McpRule
  /** Any valid token is enough; without one the answer is 401 `not_authenticated`. */
  authenticated?: true | WriteInstead<'true, or leave it out'>
  /** The route is open to anonymous callers, also under `requireAuthentication`; a bad token is still 401. */
  public?: true | WriteInstead<'true, or leave it out'>
  /** The plugin is off for this route: `request.user` and `request.auth` are `null`, whatever the token. */
  keycloak?: false | WriteInstead<'false, or leave it out'>

  /** @deprecated Misspelled: write `permission`. */
  permissions?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permision?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permisions?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  permisson?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  premission?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  persmission?: WriteInstead<'permission'>
  /** @deprecated Misspelled: write `permission`. */
  Permission?: WriteInstead<'permission'>
  /** @deprecated A rule: write `permission: { realmRole: … }`. */
  realmRole?: WriteInstead<'permission: { realmRole: … }'>
  /** @deprecated A rule: write `permission: { clientRole: …, client: … }`. */
  clientRole?: WriteInstead<'permission: { clientRole: …, client: … }'>
  /** @deprecated A rule: write `permission: { authorizedParty: … }`. */
  authorizedParty?: WriteInstead<'permission: { authorizedParty: … }'>
  /** @deprecated Misspelled: write `issuer`. */
  issuers?: WriteInstead<'issuer'>
  /** @deprecated Misspelled: write `issuer`. */
  isuer?: WriteInstead<'issuer'>
  /** @deprecated Misspelled: write `acr`. */
  acrs?: WriteInstead<'acr'>
  /** @deprecated A parameter of a login: write `acr`. */
  acrValues?: WriteInstead<'acr'>
  /** @deprecated A parameter of a login: write `acr`. */
  acr_values?: WriteInstead<'acr'>
  /** @deprecated Misspelled: write `acr`. */
  loa?: WriteInstead<'acr'>
  /** @deprecated A parameter of a login: write `maxAge`. */
  max_age?: WriteInstead<'maxAge'>
  /** @deprecated Misspelled: write `maxAge`. */
  maxage?: WriteInstead<'maxAge'>
  /** @deprecated Misspelled: write `maxAge`. */
  maxAuthAge?: WriteInstead<'maxAge'>
  /** @deprecated Misspelled: write `mcp`. */
  MCP?: WriteInstead<'mcp'>
  /** @deprecated Misspelled: write `mcp`. */
  mpc?: WriteInstead<'mcp'>
  /** @deprecated Misspelled: write `mcp`. */
  mcps?: WriteInstead<'mcp'>
  /** @deprecated A member of `mcp`: write `mcp: { tools: … }`. */
  mcpTools?: WriteInstead<'mcp: { tools: … }'>
  /** @deprecated A member of `mcp`: write `mcp: { tools: … }`. */
  mcp_tools?: WriteInstead<'mcp: { tools: … }'>
  /** @deprecated A member of `mcp`: write `mcp: { tools: … }`. */
  tools?: WriteInstead<'mcp: { tools: … }'>
  /** @deprecated Misspelled: write `authenticated`. */
  authenticate?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  autenticated?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  authentificated?: WriteInstead<'authenticated'>
  /** @deprecated Misspelled: write `authenticated`. */
  Authenticated?: WriteInstead<'authenticated'>
}
