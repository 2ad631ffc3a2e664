import type { KeycloakOptions } from '../../types/options.js'
import { isProduction } from '../util/environment.js'
import { withoutPrototype } from '../util/members.js'
import { AUTHENTICATION_OPTIONS, authenticationFault } from './client-authentication.js'
import { mtlsFault } from './mtls.js'
import { wrong } from './parse.js'
import { realmNameOf } from './realm-url.js'
import { AUDIENCE_UNCHECKED } from './resource.js'
import { groups, type schema } from './schema.js'
import { filledIn, type OutputOf } from './schemas.js'

/** The options of one issuer after the checks of the schema. */
export type ParsedOptions = OutputOf<typeof schema> & { name?: string | undefined }

/** The options that count for all issuers, and concern no realm. */
export const PLUGIN_OPTIONS = ['requireAuthentication', 'syncUser', 'extractToken', 'selectIssuer', 'cache', 'verifyInThreadPool', 'limits', 'dpop', 'mtls', 'resource'] as const

type PluginOption = typeof PLUGIN_OPTIONS[number]

type Functions = 'syncUser' | 'extractToken' | 'selectIssuer'

/** The settings of the plugin for all issuers: routes, users, extraction of tokens, bounds of the cache, limits. */
export type PluginSettings = Omit<Pick<ParsedOptions, PluginOption | 'acceptRisks'>, Functions> & Pick<KeycloakOptions, Functions> & {
  /** Is the API known to have several instances, because a store shares its logouts? */
  hasInstances: boolean
}

/** The settings of one issuer: its URLs, the API's client and secret, and the rules for its tokens. */
export type RealmSettings = ReturnType<typeof realmSettingsOf>

/** The settings of logouts that count for all issuers: the list, and the paths of the routes. */
export interface LogoutSettings {
  revocation: NonNullable<RealmSettings['revocation']>
  /** `undefined` for no route. */
  backchannelLogout: string | undefined
  adminUrl: string | undefined
}

/** @returns `undefined` if logouts are not received */
export function logoutSettingsOf ({ revocation, backchannelLogout, adminUrl }: LogoutOptions): LogoutSettings | undefined {
  const list = revocationOf({ revocation, backchannelLogout, adminUrl })
  return list && { revocation: list, backchannelLogout: backchannelLogout?.path, adminUrl: adminUrl?.path }
}

interface LogoutOptions extends Pick<ParsedOptions, 'revocation' | 'adminUrl'> {
  backchannelLogout?: { path: string } | undefined
}

function revocationOf ({ revocation, backchannelLogout, adminUrl }: LogoutOptions): ParsedOptions['revocation'] {
  const list = revocation ?? (backchannelLogout || adminUrl ? filledIn(groups.revocation) : undefined)
  return list && withoutPrototype(list)
}

/** @throws {TypeError} for members of them that are valid alone, but not together */
export function pluginSettingsOf (parsed: Pick<ParsedOptions, PluginOption | 'acceptRisks' | 'revocation'>): PluginSettings {
  const fault = parsed.mtls && mtlsFault(parsed.mtls)
  if (fault !== undefined) throw wrong(fault)
  const { acceptRisks, revocation } = parsed
  const settings = { ...Object.fromEntries(PLUGIN_OPTIONS.map((name) => [name, parsed[name]])), acceptRisks, hasInstances: revocation?.store !== undefined }
  return withoutPrototype(settings as unknown as PluginSettings)
}

/** The settings of a realm, with the defaults that depend on other options, and the types that a schema cannot express. */
export function realmSettingsOf (parsed: ParsedOptions) {
  const { requireAuthentication, syncUser, extractToken, selectIssuer, cache, verifyInThreadPool, limits, dpop, mtls, resource, ...given } = parsed
  // No member of a polluted Object.prototype is an option.
  const settings = withoutPrototype(given)
  const { clientId = 'account' } = settings
  return withoutPrototype({
    ...settings,
    name: settings.name ?? realmNameOf(settings.issuer),
    clientId,
    baseUrl: (settings.serverUrl ?? settings.issuer).replace(/\/$/, ''),
    permissionPath: (settings.permissionPath ?? ['resource_access', clientId, 'roles']) as NonNullable<KeycloakOptions['permissionPath']>,
    /** Are roles read from Keycloak's own client, because neither clientId nor permissionPath is given? */
    readsAccountRoles: settings.clientId === undefined && settings.permissionPath === undefined,
    /** Does permissionPath, as it was written, lead there? */
    namesAccountRoles: [settings.permissionPath].flat().join('.') === 'resource_access.account.roles',
    clientSecret: settings.clientSecret as KeycloakOptions['clientSecret'],
    revocation: revocationOf(settings)
  })
}

/**
 * Refuse options that are valid alone, but not together.
 * @param entry the entry of `issuers` that has the options; `undefined` for the options of the plugin
 * @throws {TypeError}
 */
export function refuseContradictions (settings: Omit<ParsedOptions, 'issuer' | 'backchannelLogout'> & { issuer?: string }, entry?: string): void {
  if (settings.resource !== undefined && settings.audience === null) throw wrong(AUDIENCE_UNCHECKED, entry)
  const fault = authenticationFault(settings)
  if (fault !== undefined) throw wrong(fault, entry)
  if (settings.uma !== undefined && settings.clientId === undefined) {
    throw wrong('option "clientId" must be the id of this API\'s client with uma, which authenticates when Keycloak is asked to decide', entry)
  }
  if (settings.uma !== undefined && AUTHENTICATION_OPTIONS.every((name) => settings[name] === undefined)) {
    throw wrong('option "clientSecret" must be the secret of clientId with uma, which authenticates when Keycloak is asked to decide', entry)
  }
  if (settings.dispatcher !== undefined && (settings.ca !== undefined || !settings.verifyCertificate)) {
    throw wrong('option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher', entry)
  }
  if (!settings.verifySignature && isProduction()) {
    throw wrong('option "verifySignature" must be true when NODE_ENV is production, since without it anybody can write a token')
  }
}
