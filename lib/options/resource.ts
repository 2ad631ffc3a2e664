import { isLoopbackHost } from '../util/loopback.js'
import { SCOPE_WORD } from '../util/scope-word.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { checked, either, filledIn, group, list, made, optional, type OutputOf, string } from './schemas.js'
import { foundAs, matching, oneOrMore, realmUrl, text } from './values.js'

const RESOURCE = 'the https URL of this API as clients call it, such as https://api.example.com/mcp'
const MEMBERS = `${RESOURCE}, or an object with resource, scopes, name, documentation and authorizationServers`
const SCOPE = 'a word of the scope claim such as "write"'
const SCOPES = 'an array of scopes, such as ["write"]'
const PAGE = 'the URL of a page, such as https://api.example.com/docs'
const SERVERS = 'the URL of a realm, or an array of such'

/** The scope for refresh tokens, which is the client's affair and none of the API's. */
export const OFFLINE = 'offline_access'

/** Faults of a resource, and the words for them; the first match counts. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\s|\s$/, 'one with white space around it: write .trim()'],
  [/^(?!https?:\/\/)/, 'one that does not begin with https://: the id of a client in Keycloak belongs into clientId'],
  [/#/, 'one with a fragment (#)'],
  [/\?/, 'one with a query (?)'],
  [/^https?:\/\/[^/]*@/, 'one with a user name'],
  [/^https?:\/\/[^/]+\/.*%/, 'one with encoded characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
  [/^https?:\/\/[^/]+\/+.*[^/]\/+$/, 'one with a slash at its end: leave the slash out, since clients and Keycloak compare each character']
]

/** A path that a router and a header can have as it is. */
const PLAIN_PATH = /^(?:\/[\w.~-]+)*\/?$/

const resourceUrl = checked(text(RESOURCE), RESOURCE, (value) => value === '' ? undefined : foundAs(resourceFault(value)))

const scope = checked(matching(SCOPE_WORD, SCOPE), SCOPE, (word) => word === OFFLINE ? { found: `"${OFFLINE}": clients that want refresh tokens ask for it by themselves` } : undefined)

export const resourceGroup = group({
  resource: resourceUrl,
  scopes: optional(list(scope, SCOPES), () => []),
  name: optional(text('the name of this API for people')),
  documentation: optional(checked(string(PAGE), PAGE, (value) => isPage(value) ? undefined : {})),
  authorizationServers: optional(oneOrMore(realmUrl, SERVERS))
}, MEMBERS)

/** The option `resource` after the checks. */
export type ResourceSettings = OutputOf<typeof resourceGroup>

/** The option: a string is the URL alone. */
export const resource = optional(either([made(resourceUrl, (url) => filledIn(resourceGroup, { resource: url })), resourceGroup], MEMBERS))

/**
 * Tokens for this API name its resource in `aud` (RFC 8707), so it is the default of `audience`.
 * @param written a plain copy of the options, which is changed
 */
export function addAudience (written: JsonObject): void {
  const url = isObject(written.resource) ? written.resource.resource : written.resource
  if (written.audience === undefined && typeof url === 'string' && resourceFault(url) === undefined) written.audience = url
}

/** The sentence about an `audience` that leaves `aud` unchecked: the clients of a resource rely on that check (RFC 8707 section 2). */
export const AUDIENCE_UNCHECKED = 'option "audience" must not be null with resource, since a token for another API would be accepted; leave it out, and aud must have the resource'

/** The words for a URL that cannot be the resource; `undefined` if it can. */
function resourceFault (value: string): string | undefined {
  const fault = FAULTS.find(([wrong]) => wrong.test(value))?.[1]
  if (fault !== undefined) return fault
  if (!URL.canParse(value)) return 'one whose host or port is not valid'
  const { href, pathname, protocol } = new URL(value)
  if (!PLAIN_PATH.test(pathname)) return 'one with special characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'
  if (href !== value && href !== `${value}/`) return `another spelling of "${href.replace(/\/$/, '')}": write that`
  if (protocol === 'http:' && !isLoopbackHost(value)) return 'one with http:// to another machine: tokens would be sent there without encryption'
  return undefined
}

function isPage (value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value)
}
