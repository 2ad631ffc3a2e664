import { isObject } from '../util/strict-json.js'
import { memberOf, plainCopy, withoutPrototype } from '../util/members.js'
import { explainIssues } from '../options/explain-issue.js'
import { realmNameOf, realmUrlFault } from '../options/realm-url.js'
import { checked, either, group, type Issue, list, made, oneOf, optional, type OutputOf, record, string } from '../options/schemas.js'
import { foundAs, matching, text } from '../options/values.js'

const SCHEME = '"bearer", "oauth2" or "openIdConnect"'
const ISSUER = 'the public URL of the realm, such as https://sso.example.com/realms/acme'
const ISSUERS = 'an array of realms with their public URL, such as [{ name: "acme", issuer: "https://sso.example.com/realms/acme" }]'
const ENTRY = 'an object with issuer, and name if it is not the realm\'s'
const ISSUER_NAME = 'the name that the realm has in the option issuers of the plugin'
const SCOPES = 'an array of scopes, or an object of scopes and their meanings'
const NAME = 'a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth"'

const SCOPE = 'the name of a scope, such as "openid"'
const MEANING = 'the meaning of the scope, in words'
const scope = text(SCOPE)

const issuer = made(checked(string(ISSUER), ISSUER, (value) => foundAs(realmUrlFault(value))), (value) => value.replace(/\/$/, ''))

/** An entry of `issuers`. Its other members are not read, so that the list can be that of the plugin. */
const entry = made(group({ issuer, name: optional(text(ISSUER_NAME)) }, ENTRY, true), ({ issuer, name = realmNameOf(issuer) }) => ({ issuer, name }))

/** A table: each option with its allowed values and its default. Messages complete "… must be". */
const schema = group({
  scheme: optional(oneOf(['bearer', 'oauth2', 'openIdConnect'], SCHEME), 'bearer'),
  issuer: optional(issuer),
  issuers: optional(list(entry, ISSUERS, 1)),
  scopes: optional(either([
    made(list(scope, SCOPES), (names): Record<string, string> => Object.fromEntries(names.map((name) => [name, '']))),
    record(scope, string(MEANING), SCOPES)
  ], SCOPES), () => ({ openid: '' })),
  // OpenAPI defines this pattern for every name in its components.
  name: optional(matching(/^[\w.-]+$/, NAME), 'KeycloakAuth')
}, 'an object')

/** The options with their defaults; scopes are an object, the issuer has no slash at its end. */
export type OpenapiSettings = OutputOf<typeof schema>

/**
 * Check the options that a user gave to `openapi()`.
 * @throws {TypeError} one sentence that names the option and its allowed values
 */
export function parseOpenapiOptions (options: unknown = {}): OpenapiSettings {
  const issues: Issue[] = []
  const settings = schema.read(plainOptions(options), [], issues)
  if (issues.length > 0) {
    if (isObject(options) && Object.hasOwn(options, 'openapiObject')) throw wrong('it makes a transform and is not one itself: write transform: openapi()')
    throw wrong(explainIssues(issues, options, withoutPrototype({ names: { '': Object.keys(schema.members) } })))
  }
  const { scheme, issuer, issuers = [] } = settings
  if (issuer !== undefined && issuers.length > 0) throw wrong('option "issuer" goes without issuers; write it into the list')
  if (scheme !== 'bearer' && issuer === undefined && issuers.length === 0) throw wrong(`option "issuer" must be ${ISSUER}, when scheme is "${scheme}"`)
  const twice = issuers.find(({ name }, at) => issuers.findIndex((other) => other.name === name) < at)
  if (twice !== undefined) throw wrong(`option "issuers" has the name ${JSON.stringify(twice.name)} twice; give one of them a name of its own`)
  return settings
}

/** A plain copy of the options and of the entries of `issuers`, without the members of Object.prototype. */
function plainOptions (options: unknown): unknown {
  if (!isObject(options)) return options
  const written = plainCopy(options, Object.keys(schema.members))
  const { issuers } = written
  if (Array.isArray(issuers)) written.issuers = Array.from({ length: issuers.length }, (_none, at) => plainEntry(memberOf(issuers, at)))
  return written
}

function plainEntry (entry: unknown): unknown {
  return isObject(entry) ? plainCopy(entry, ['issuer', 'name']) : entry
}

/** The problem of the call, as a sentence. */
export function wrong (problem: string): TypeError {
  return new TypeError(`fastify-keycloak-bearer: openapi(): ${problem}`)
}
