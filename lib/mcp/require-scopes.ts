import type { FastifyRequest } from 'fastify'
import type { ScopeName } from '../../types/declared.js'
import { addAskedScopes } from '../access/asked-scopes.js'
import { isScopeWord } from '../util/scope-word.js'
import { refusal } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'

/** The part of a request that tells of its caller: every FastifyRequest has it. */
export interface McpCaller {
  /** The verified claims; `null` for an anonymous request. */
  readonly auth: unknown
  /** Does the caller fulfil a rule? */
  hasPermission (rule: { readonly scope: ScopeName }): boolean
}

/**
 * Demands scopes in a handler: a caller who lacks one gets the answer of a route with `config.scope`, with all scopes of the request
 * in its challenge. A scope counts if another one of the token stands for it (option `scopeImplies`).
 *
 * @example
 * if (isDraft === false) requireScopes(request, 'notes:publish')
 *
 * @throws {KeycloakError} `permission_denied` (403), `not_authenticated` (401)
 * @throws {TypeError} for no scope, and for a text that is no word of a scope claim
 */
export function requireScopes (request: McpCaller, ...scopes: readonly [ScopeName, ...ScopeName[]]): void {
  if (scopes.length === 0 || !scopes.every(isScopeWord)) throw new TypeError('requireScopes takes a request and words of the scope claim, such as requireScopes(request, "notes:write")')
  const scope = addAskedScopes(request as unknown as FastifyRequest, scopes).join(' ')
  if (request.auth === null) throw refusal('not_authenticated', 'token_missing', { scope })
  const missing = scopes.filter((word) => !request.hasPermission({ scope: word }))
  if (missing.length > 0) throw refusal('permission_denied', () => reasonFor('scope_missing', { scopes: missing.join(' ') }), { scope })
}
