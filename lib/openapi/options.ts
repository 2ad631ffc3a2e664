import * as z from 'zod'
import { isObject } from '../json.js'
import { kindOf } from '../permissions.js'
import { isRealmUrl } from '../realm-url.js'
import { nearest } from '../spelling.js'

const SCHEME = '"bearer", "oauth2" or "openIdConnect"'
const ISSUER = 'the public URL of the realm, such as https://sso.example.com/realms/acme'
const SCOPES = 'an array of scopes, or an object of scopes and what they mean'
const NAME = 'a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth"'

const scope = z.string().min(1)

/** A table: each option, what it may be, and its default. Messages complete "… must be". */
const schema = z.strictObject({
  scheme: z.enum(['bearer', 'oauth2', 'openIdConnect'], SCHEME).default('bearer'),
  issuer: z.string(ISSUER)
    .refine(isRealmUrl, ISSUER)
    .transform((value) => value.replace(/\/$/, ''))
    .optional(),
  scopes: z.union([
    z.array(scope).transform((names): Record<string, string> => Object.fromEntries(names.map((name) => [name, '']))),
    z.record(scope, z.string())
  ], SCOPES).default({ openid: '' }),
  // The pattern is OpenAPI's own, for every name in its components.
  name: z.string(NAME).regex(/^[\w.-]+$/, NAME).default('KeycloakAuth')
})

/** The options with their defaults; scopes are an object, the issuer has no slash at its end. */
export type OpenapiSettings = z.output<typeof schema>

/**
 * Check what a user gave to `openapi()`.
 * @throws {TypeError} one sentence that names the option and says what it must be
 */
export function parseOpenapiOptions (options: unknown = {}): OpenapiSettings {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw wrong(sentence(parsed.error.issues, options))
  const { scheme, issuer } = parsed.data
  if (scheme !== 'bearer' && issuer === undefined) throw wrong(`option "issuer" must be ${ISSUER}, when scheme is "${scheme}"`)
  return parsed.data
}

function sentence (issues: readonly z.core.$ZodIssue[], options: unknown): string {
  if (!isObject(options)) return `the options must be an object, not ${kindOf(options)}`
  if (Object.hasOwn(options, 'openapiObject')) return 'it makes a transform and is none itself: write transform: openapi()'
  // A misspelled key explains a missing one: name it first.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!
  if (issue.code !== 'unrecognized_keys') {
    const option = String(issue.path[0])
    return `option "${option}" must be ${issue.message}, not ${kindOf(options[option])}`
  }
  const written = issue.keys[0]!
  const meant = nearest(written, Object.keys(schema.shape), 3)
  return `option "${written.slice(0, 40)}" is unknown${meant === undefined ? '' : `; write "${meant}"`}`
}

/** What is wrong with the call. */
export function wrong (problem: string): TypeError {
  return new TypeError(`fastify-keycloak-bearer: openapi(): ${problem}`)
}
