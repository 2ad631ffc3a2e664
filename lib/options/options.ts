import type { RevocationStore } from '../../types/revocation.js'
import { memberOf } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { AUTHENTICATION_OPTIONS } from './client-authentication.js'
import { parse, plainOptions, wrong } from './parse.js'
import { addAudience, type ResourceSettings } from './resource.js'
import { schema, severalSchema } from './schema.js'
import { listedRealms, refuseBesideIssuers } from './several-issuers.js'
import { logoutSettingsOf, type LogoutSettings, type ParsedOptions, type PluginSettings, pluginSettingsOf, type RealmSettings, realmSettingsOf, refuseContradictions } from './settings.js'

export type { LogoutSettings, PluginSettings, RealmSettings } from './settings.js'

/** The options with their defaults; lists are arrays. */
export interface Settings {
  plugin: PluginSettings
  /** `undefined` if logouts are not received. */
  logout: LogoutSettings | undefined
  issuers: OneIssuer | ListedIssuers | IssuerFunction
}

/** The option `issuer`. */
interface OneIssuer {
  form: 'one'
  realms: readonly [RealmSettings]
}

/** The option `issuers`, a list. */
interface ListedIssuers {
  form: 'list'
  realms: readonly RealmSettings[]
}

/** The option `issuers`, a function. */
export interface IssuerFunction {
  form: 'function'
  find: (iss: string) => unknown
  /** The most realms that are kept. */
  maxIssuers: number
  /** The options beside `issuers`, which are the defaults of each entry. */
  defaults: JsonObject
}

/**
 * Check the options of a user, and fill in the defaults.
 * @throws {TypeError} with one sentence that names the option and its valid values, and shows no value that could be a secret
 */
export function parseOptions (options: unknown): Settings {
  const written = plainOptions(options)
  if (isObject(written)) {
    leaveOutUndefined(written)
    addAudience(written)
  }
  if (isObject(written) && written.issuers !== undefined) return parseSeveral(written, options)
  if (isObject(written) && written.maxIssuers !== undefined) throw wrong('option "maxIssuers" goes with a function issuers alone')
  const parsed: ParsedOptions = parse(schema, written, options)
  refuseContradictions(parsed)
  refuseServers(parsed.resource, false)
  return { plugin: pluginSettingsOf(parsed), logout: logoutSettingsOf(parsed), issuers: { form: 'one', realms: [realmSettingsOf(parsed)] } }
}

/** May Keycloak be asked about the token of a request after it was accepted? It is, for rules and for tokens of other services, by who has credentials. */
export function usesTokens (issuers: Settings['issuers']): boolean {
  return issuers.form === 'function' || issuers.realms.some((realm) => AUTHENTICATION_OPTIONS.some((name) => realm[name] !== undefined))
}

/** The options that the schema of one issuer, or that of several, does not know: `undefined` is no option. */
const OF_ONE_FORM = ['issuer', 'serverUrl', 'name', 'issuers', 'maxIssuers']

function leaveOutUndefined (written: JsonObject): void {
  for (const name of OF_ONE_FORM) {
    if (written[name] === undefined) delete written[name]
  }
}

function parseSeveral (written: JsonObject, options: unknown): Settings {
  refuseBesideIssuers(written)
  const parsed = parse(severalSchema, written, options)
  const plugin = pluginSettingsOf(parsed)
  const logout = logoutSettingsOf(parsed)
  refuseStoreOfOne(parsed.revocation?.store)
  const { issuers, maxIssuers } = parsed
  if (!Array.isArray(issuers)) {
    refuseServers(parsed.resource, true)
    // The entries are not known yet, but a contradiction among their defaults is one in each of them, unless a secret is theirs.
    refuseContradictions({ ...parsed, verifyTokensWithKeycloak: false, uma: undefined })
    return { plugin, logout, issuers: { form: 'function', find: issuers as IssuerFunction['find'], maxIssuers, defaults: written } }
  }
  if (written.maxIssuers !== undefined) throw wrong('option "maxIssuers" goes with a function issuers alone; all realms of a list stay')
  refuseServers(parsed.resource, false)
  return { plugin, logout, issuers: { form: 'list', realms: listedRealms(issuers, written) } }
}

/** @param isFound is `issuers` a function, so that the issuers are not known at start? */
function refuseServers (resource: ResourceSettings | undefined, isFound: boolean): void {
  if (resource === undefined || isFound === (resource.authorizationServers !== undefined)) return
  throw wrong(isFound
    ? 'option "resource.authorizationServers" must name the issuers when issuers is a function, since clients have to find them before they have a token'
    : 'option "resource.authorizationServers" goes with a function issuers alone; otherwise it is the issuers')
}

/** A store made for one issuer would hand the sessions of one to another. */
function refuseStoreOfOne (store: RevocationStore | undefined): void {
  if (store === undefined || typeof memberOf(store, 'unfollow') === 'function') return
  throw wrong('option "revocation.store" must have unfollow(issuer) with issuers, as redisStore() has; without it, it is made for one issuer')
}
