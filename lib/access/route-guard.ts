import type { RouteAccess } from '../../types/instance.js'
import type { ConfirmationRules } from '../options/confirmation-rules.js'
import { OFFLINE } from '../options/resource.js'
import { kindOf } from '../util/kind-of.js'
import type { JsonObject } from '../util/strict-json.js'
import { type KnownRealms, readAuthentication, readIssuers, refuseUndecided } from './known-realms.js'
import { compileRule } from './permission-rule.js'
import { failFor, orFail, plainConfig, rejectMisspelled, type ThrowRouteError } from './route-config.js'
import { parametersIn } from './route-parameters.js'
import type { RuleGuard } from './rule-guard.js'
import { isScopeWord } from '../util/scope-word.js'
import { compileMcp, type McpGuard } from './tool-guards.js'

/** The checks of a route, compiled from its config once. */
export interface Guard extends RuleGuard {
  /** The rules of MCP tools; `undefined` for a route without `config.mcp`. */
  mcp: McpGuard | undefined
}

/**
 * Compile a route's config.
 * @param name the name of the route in errors: `GET /profile`
 * @param url the URL of the route, whose parameters a rule may name
 * @param realms all issuers, if they are known at start
 * @param confirmation how the keys of tokens are proven. If they are not, a rule that demands a bound token locks its route
 * @throws {TypeError} for a value that is not a rule, and for a misspelled key that would leave the route open
 */
export function compileGuard (config: unknown, { name, url }: { name: string, url: string }, requireAuthentication: boolean, realms?: KnownRealms, confirmation?: ConfirmationRules): Guard {
  const fail = failFor(name)
  const own = plainConfig(config, fail)
  rejectMisspelled(own, fail)
  const flags = readFlags(own, fail)
  if (flags.senderConstrained && confirmation?.dpop === false && !confirmation.mtls) fail('config.senderConstrained needs the option dpop or mtls, since without them every token that is bound to a key is refused')
  const rule = readRule(own, url, fail, realms, flags.senderConstrained)
  const restricted = rule.text !== undefined
  const mcp = Object.hasOwn(own, 'mcp') ? compileMcp(own.mcp, fail, (tool, where) => compileGuard(tool, { name: `${name}: ${where}`, url }, false, realms, confirmation)) : undefined
  if (flags.keycloak && (flags.public || flags.authenticated || restricted)) {
    fail('config.keycloak: false goes with none of public, authenticated, permission, scope, issuer, senderConstrained, acr and maxAge, which it switches off')
  }
  if (flags.keycloak && mcp) fail('config.mcp goes without config.keycloak: false, which switches it off')
  if (flags.public && (flags.authenticated || restricted)) {
    fail('config.public goes with none of authenticated, permission, scope, issuer, senderConstrained, acr and maxAge; keep the one you mean')
  }
  // A route for MCP demands a token unless it says that it is public: the 401 is the first step of a client's login.
  const isClosed = flags.authenticated || (mcp !== undefined && !flags.public)
  return { access: access(), ownRule: restricted || isClosed, confirmation, ...rule, mcp }

  function access (): RouteAccess['access'] {
    if (flags.keycloak) return 'open'
    if (restricted) return 'restricted'
    if (flags.public) return 'optional'
    return isClosed || requireAuthentication ? 'authenticated' : 'optional'
  }
}

/** Which flags are set? */
type Flags = Record<'public' | 'authenticated' | 'keycloak' | 'senderConstrained', boolean>

/** Each flag has one valid value, so that a variable that is undefined by mistake does not open a route. */
function readFlags (config: JsonObject, fail: ThrowRouteError): Flags {
  const isSet = (name: string, value: boolean): boolean => {
    if (!Object.hasOwn(config, name)) return false
    if (config[name] !== value) fail(`config.${name} must be ${value} or left out, not ${kindOf(config[name])}`)
    return true
  }
  return {
    public: isSet('public', true),
    authenticated: isSet('authenticated', true),
    keycloak: isSet('keycloak', false),
    senderConstrained: isSet('senderConstrained', true)
  }
}

function readRule (config: JsonObject, url: string, fail: ThrowRouteError, realms: KnownRealms | undefined, senderConstrained: boolean): Omit<Guard, 'access' | 'ownRule' | 'confirmation' | 'mcp'> {
  const permission = Object.hasOwn(config, 'permission') ? orFail(fail, () => compileRule(config.permission, { name: 'config.permission', parameters: () => parametersIn(url) })) : undefined
  const issuers = Object.hasOwn(config, 'issuer') ? orFail(fail, () => readIssuers(config.issuer, realms)) : undefined
  if (permission !== undefined) orFail(fail, () => refuseUndecided(permission, issuers, realms))
  const scopes = Object.hasOwn(config, 'scope') ? readScopes(config.scope, fail) : []
  const authentication = orFail(fail, () => readAuthentication(config, issuers, realms))
  const bound = senderConstrained ? 'senderConstrained' : undefined
  const others = [issuers && `issuer ${[...issuers].join(' or ')}`, scopes.length > 0 ? `scope ${scopes.join(' ')}` : undefined]
  const needed = permission && `permission ${permission.text}`
  return {
    check: permission?.check,
    dependsOnClaimsOnly: permission?.dependsOnClaimsOnly !== false && authentication?.maxAge === undefined,
    readsRoles: permission?.kinds.has('role') === true,
    issuers,
    scopes,
    askedScopes: [...new Set([...scopes, ...permission?.scopes ?? []])].filter((scope) => scope !== OFFLINE),
    namedScopes: [...scopes, ...permission?.namedScopes ?? []],
    authentication,
    senderConstrained,
    grants: inWords([needed, ...others]),
    text: inWords([needed, bound, ...others, authentication?.text]),
    permission
  }
}

/** The parts of a rule that there are, joined; `undefined` if there are none. */
function inWords (parts: ReadonlyArray<string | undefined>): string | undefined {
  const words = parts.filter((part) => part !== undefined)
  return words.length > 0 ? words.join(' and ') : undefined
}

function readScopes (scope: unknown, fail: ThrowRouteError): string[] {
  const scopes: unknown[] = Array.isArray(scope) ? Array.from(scope) : [scope]
  if (scopes.length === 0 || !scopes.every(isScopeWord)) {
    fail('config.scope must be a word of the scope claim such as "write", or an array of such words')
  }
  return scopes as string[]
}
