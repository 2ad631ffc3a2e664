import type { KeycloakOptions } from '../../types/options.js'
import { isProduction } from '../util/environment.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { isObject } from '../util/strict-json.js'
import { explainIssues } from './explain-issue.js'
import { groups, schema } from './schema.js'
import { FOREIGN_NAMES } from './unknown-option.js'

/** The settings of one issuer: its URLs, the API's client and secret, and the rules for its tokens. */
export type RealmSettings = Omit<AllSettings, keyof PluginSettings>

/** The settings of the plugin for all issuers: routes, users, extraction of tokens, bounds of the cache, limits. */
export type PluginSettings = Pick<AllSettings, 'requireAuthentication' | 'syncUser' | 'extractToken' | 'startCheck' | 'cache' | 'limits'>

/** The options with their defaults; lists are arrays. */
export interface Settings {
  plugin: PluginSettings
  realm: RealmSettings
}

type AllSettings = ReturnType<typeof complete>

/** The options after the checks of the schema. */
type Parsed = ReturnType<typeof schema.parse>

const known = {
  names: Object.fromEntries(Object.entries({ '': schema, ...groups }).map(([group, { shape }]) => [group, Object.keys(shape)])),
  foreign: FOREIGN_NAMES
}

/**
 * Check the options of a user, and fill in the defaults.
 * @throws {TypeError} with one sentence that names the option and its valid values, and shows no value that could be a secret
 */
export function parseOptions (options: unknown): Settings {
  const parsed = schema.safeParse(plainOptions(options))
  if (!parsed.success) throw new TypeError(`fastify-keycloak-bearer: ${explainIssues(parsed.error.issues, options, known, ' with issuer at least')}`)
  // No member of a polluted Object.prototype is an option.
  const given = withoutPrototype(parsed.data)
  refuseContradictions(given)
  const { requireAuthentication, syncUser, extractToken, startCheck, cache, limits, ...realm } = withoutPrototype(complete(given))
  return {
    plugin: withoutPrototype({ requireAuthentication, syncUser, extractToken, startCheck, cache, limits }),
    realm: withoutPrototype(realm)
  }
}

/**
 * Refuse options that are valid alone, but not together.
 * @throws {TypeError}
 */
function refuseContradictions (settings: Parsed): void {
  if (settings.verifyTokensWithKeycloak && settings.clientSecret === undefined) {
    throw new TypeError('fastify-keycloak-bearer: option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it')
  }
  if (settings.dispatcher !== undefined && (settings.ca !== undefined || !settings.verifyCertificate)) {
    throw new TypeError('fastify-keycloak-bearer: option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher')
  }
  if (!settings.verifySignature && isProduction()) {
    throw new TypeError('fastify-keycloak-bearer: option "verifySignature" must be true when NODE_ENV is production, since without it anybody can write a token')
  }
}

/** Adds the defaults that depend on other options, and the types that a schema cannot express. */
function complete (settings: Parsed) {
  const revocation = settings.revocation ?? (settings.backchannelLogout || settings.adminUrl ? groups.revocation.parse(withoutPrototype({})) : undefined)
  const { clientId = 'account' } = settings
  return {
    ...settings,
    clientId,
    baseUrl: (settings.serverUrl ?? settings.issuer).replace(/\/$/, ''),
    permissionPath: (settings.permissionPath ?? ['resource_access', clientId, 'roles']) as NonNullable<KeycloakOptions['permissionPath']>,
    /** Are roles read from Keycloak's own client, because neither clientId nor permissionPath is given? */
    readsAccountRoles: settings.clientId === undefined && settings.permissionPath === undefined,
    clientSecret: settings.clientSecret as KeycloakOptions['clientSecret'],
    revocation: revocation && withoutPrototype(revocation),
    syncUser: settings.syncUser as KeycloakOptions['syncUser'],
    extractToken: settings.extractToken as KeycloakOptions['extractToken']
  }
}

/** A plain copy of the options and of their groups, without the members of Object.prototype. */
function plainOptions (options: unknown): unknown {
  if (!isObject(options)) return options
  const written = plainCopy(options, Object.keys(schema.shape))
  for (const [name, { shape }] of Object.entries(groups)) {
    if (isObject(written[name])) written[name] = plainCopy(written[name], Object.keys(shape))
  }
  return written
}
