import * as z from 'zod'
import { isObject } from '../util/strict-json.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { explainIssues } from '../options/explain-issue.js'
import { realmUrlFault } from '../options/realm-url.js'

const SCHEME = '"bearer", "oauth2" or "openIdConnect"'
const ISSUER = 'the public URL of the realm, such as https://sso.example.com/realms/acme'
const SCOPES = 'an array of scopes, or an object of scopes and their meanings'
const NAME = 'a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth"'

const SCOPE = 'the name of a scope, such as "openid"'
const MEANING = 'the meaning of the scope, in words'
const scope = z.string(SCOPE).min(1, SCOPE)

/** A table: each option with its allowed values and its default. Messages complete "… must be". */
const schema = z.strictObject({
  scheme: z.enum(['bearer', 'oauth2', 'openIdConnect'], SCHEME).default('bearer'),
  issuer: z.string(ISSUER)
    .superRefine((value, context) => {
      const found = realmUrlFault(value)
      if (found !== undefined) context.addIssue({ code: 'custom', message: ISSUER, params: { found } })
    })
    .transform((value) => value.replace(/\/$/, ''))
    .optional(),
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
  const parsed = schema.safeParse(isObject(options) ? plainCopy(options, Object.keys(schema.shape)) : options)
  if (!parsed.success) {
    if (isObject(options) && Object.hasOwn(options, 'openapiObject')) throw wrong('it makes a transform and is not one itself: write transform: openapi()')
    throw wrong(explainIssues(parsed.error.issues, options, { names: { '': Object.keys(schema.shape) } }))
  }
  const settings = withoutPrototype(parsed.data)
  const { scheme, issuer } = settings
  if (scheme !== 'bearer' && issuer === undefined) throw wrong(`option "issuer" must be ${ISSUER}, when scheme is "${scheme}"`)
  return settings
}

/** The problem of the call, as a sentence. */
export function wrong (problem: string): TypeError {
  return new TypeError(`fastify-keycloak-bearer: openapi(): ${problem}`)
}
