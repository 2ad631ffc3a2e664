import * as z from 'zod'
import { isObject } from '../util/strict-json.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { explainIssues } from '../options/explain-issue.js'
import { realmNameOf, realmUrlFault } from '../options/realm-url.js'

const SCHEME = '"bearer", "oauth2" or "openIdConnect"'
const ISSUER = 'the public URL of the realm, such as https://sso.example.com/realms/acme'
const ISSUERS = 'an array of realms with their public URL, such as [{ name: "acme", issuer: "https://sso.example.com/realms/acme" }]'
const ENTRY = 'an object with issuer, and name if it is not the realm\'s'
const ISSUER_NAME = 'the name that the realm has in the option issuers of the plugin'
const SCOPES = 'an array of scopes, or an object of scopes and their meanings'
const NAME = 'a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth"'

const SCOPE = 'the name of a scope, such as "openid"'
const MEANING = 'the meaning of the scope, in words'
const scope = z.string(SCOPE).min(1, SCOPE)

const issuer = z.string(ISSUER)
  .superRefine((value, context) => {
    const found = realmUrlFault(value)
    if (found !== undefined) context.addIssue({ code: 'custom', message: ISSUER, params: { found } })
  })
  .transform((value) => value.replace(/\/$/, ''))

/** An entry of `issuers`. Its other members are not read, so that the list can be that of the plugin. */
const entry = z.object({ issuer, name: z.string(ISSUER_NAME).min(1, ISSUER_NAME).optional() }, ENTRY)
  .transform((given) => {
    const { issuer, name } = withoutPrototype(given)
    return { issuer, name: name ?? realmNameOf(issuer) }
  })

/** A table: each option with its allowed values and its default. Messages complete "… must be". */
const schema = z.strictObject({
  scheme: z.enum(['bearer', 'oauth2', 'openIdConnect'], SCHEME).default('bearer'),
  issuer: issuer.optional(),
  issuers: z.array(entry, ISSUERS).min(1, ISSUERS).optional(),
  scopes: z.union([
    z.array(scope).transform((names): Record<string, string> => Object.fromEntries(names.map((name) => [name, '']))),
    z.record(scope, z.string(MEANING))
  ], SCOPES).default({ openid: '' }),
  // OpenAPI defines this pattern for every name in its components.
  name: z.string(NAME).regex(/^[\w.-]+$/, NAME).default('KeycloakAuth')
})

/** The options with their defaults; scopes are an object, the issuer has no slash at its end. */
export type OpenapiSettings = z.output<typeof schema>

/**
 * Check the options that a user gave to `openapi()`.
 * @throws {TypeError} one sentence that names the option and its allowed values
 */
export function parseOpenapiOptions (options: unknown = {}): OpenapiSettings {
  const parsed = schema.safeParse(plainOptions(options))
  if (!parsed.success) {
    if (isObject(options) && Object.hasOwn(options, 'openapiObject')) throw wrong('it makes a transform and is not one itself: write transform: openapi()')
    throw wrong(explainIssues(parsed.error.issues, options, { names: { '': Object.keys(schema.shape) } }))
  }
  const settings = withoutPrototype(parsed.data)
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
  const written = plainCopy(options, Object.keys(schema.shape))
  const { issuers } = written
  if (Array.isArray(issuers)) written.issuers = issuers.map((each) => isObject(each) ? plainCopy(each, ['issuer', 'name']) : each)
  return written
}

/** The problem of the call, as a sentence. */
export function wrong (problem: string): TypeError {
  return new TypeError(`fastify-keycloak-bearer: openapi(): ${problem}`)
}
