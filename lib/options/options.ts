import type { KeycloakOptions } from '../../types/options.js'
import { isProduction } from '../util/environment.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { isObject } from '../util/strict-json.js'
import { sentence } from './explain-issue.js'
import { groups, schema } from './schema.js'
import { FOREIGN } from './unknown-option.js'

/** The settings of one issuer: where it is, how the API proves itself there, and how its tokens are judged. */
export type RealmSettings = Omit<AllSettings, keyof PluginSettings>

/** The settings of the plugin, whatever the issuer: routes, users, where a token is, the bounds of what is kept. */
export type PluginSettings = Pick<AllSettings, 'requireAuthentication' | 'syncUser' | 'extractToken' | 'startCheck' | 'cache' | 'limits'>

/** The options with their defaults; lists are arrays. */
export interface Settings {
  plugin: PluginSettings
  realm: RealmSettings
}

type AllSettings = ReturnType<typeof complete>

/** An option as the schema allows it. */
type Parsed = ReturnType<typeof schema.parse>

const known = {
  names: Object.fromEntries(Object.entries({ '': schema, ...groups }).map(([group, { shape }]) => [group, Object.keys(shape)])),
  foreign: FOREIGN
}

/**
 * Check what a user wrote, once.
 * @throws {TypeError} one sentence that names the option and says what it must be; nothing that could be a secret is shown
 */
export function parseOptions (options: unknown): Settings {
  const parsed = schema.safeParse(writtenBy(options))
  if (!parsed.success) throw new TypeError(`fastify-keycloak-bearer: ${sentence(parsed.error.issues, options, known, ' with issuer at least')}`)
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
 * Options that are good one by one, and not together.
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

/** Defaults that follow from other options, and the types that a schema cannot say. */
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

/** The options as the user wrote them, and nothing that all objects inherit. */
function writtenBy (options: unknown): unknown {
  if (!isObject(options)) return options
  const written = plainCopy(options, Object.keys(schema.shape))
  for (const [name, { shape }] of Object.entries(groups)) {
    if (isObject(written[name])) written[name] = plainCopy(written[name], Object.keys(shape))
  }
  return written
}
