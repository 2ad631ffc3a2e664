import { X509Certificate } from 'node:crypto'
import * as z from 'zod'
import type { KeycloakOptions } from '../types/options.js'
import type { RevocationStore } from '../types/revocation.js'
import { isObject } from './json.js'
import { kindOf } from './permissions.js'
import { isRealmUrl } from './realm-url.js'
import { nearest } from './spelling.js'

/** RFC 7518 section 3.1 and RFC 8037; whoever holds a public key could make an HS* token, and anybody a none one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** What setTimeout can count to, in milliseconds: 24 days. */
const MAX_TIME = 2_147_483_647

const text = (what: string) => z.string(what).min(1, what)
const flag = z.boolean('true or false')
const whole = (least: number) => z.int(`a whole number from ${least}`).min(least, `a whole number from ${least}`)
const milliseconds = (least: number) => {
  const what = `a whole number of milliseconds from ${least} to ${MAX_TIME}`
  return z.int(what).min(least, what).max(MAX_TIME, what)
}
const realmUrl = z.string('the full URL of a realm, such as https://sso.example.com/realms/acme')
  .refine(isRealmUrl, 'an http or https URL without user name, query, fragment or white space, such as https://sso.example.com/realms/acme')
const oneOrMore = <T extends z.ZodType>(item: T, what: string) =>
  z.union([item, z.array(item).min(1, what)], what).transform((value) => [value].flat() as Array<z.output<T>>)
const aFunction = (what: string) => z.custom<(...parameters: never[]) => unknown>((value) => typeof value === 'function', what)
const key = (what: string) => text(what).refine((name) => name !== '__proto__', what)

const PATH = 'a dotted string such as "realm_access.roles", an array of segments, or a function of the claims'
const MAPPING = 'an object of user keys and claim names, such as { email: "email" }'
const ALGORITHM = `one or more of ${ALGORITHMS.join(', ')}: a secret (HS*) or no signature (none) cannot prove who issued a token`
const SECRET = 'the secret of that client, or a function that returns it'
const CA = 'a certificate in PEM as string or Buffer (its text, not its path), or an array of them'
const ROUTE = 'the path of a route, such as "/backchannel-logout"'
const STORE = 'a store of revocations, such as redisStore({ client })'
const DISPATCHER = 'an undici 7 dispatcher, such as new ProxyAgent(url)'

const warnOrRequire = z.union([z.literal(false), z.enum(['warn', 'require'])], '"warn", "require" or false')
const route = z.string(ROUTE).regex(/^\/[^?#:*]*$/, ROUTE)

/** Of verified tokens, and of the answers of introspection that are shared. */
export const DEFAULT_CACHE = { max: 1000, maxBytes: 16 * 1024 * 1024 }

/** The options that are objects themselves. */
const groups = {
  introspection: z.strictObject({
    timeout: milliseconds(1).default(5000),
    cacheTtl: milliseconds(0).default(0),
    maxPending: whole(1).default(1000)
  }, 'an object with timeout, cacheTtl and maxPending'),
  jwks: z.strictObject({
    maxAge: milliseconds(1).default(600_000),
    cooldown: milliseconds(0).default(10_000),
    timeout: milliseconds(1).default(5000),
    maxStale: milliseconds(0).default(3_600_000),
    preload: warnOrRequire.default(false)
  }, 'an object with maxAge, cooldown, timeout, maxStale and preload'),
  cache: z.strictObject({ max: whole(1).default(DEFAULT_CACHE.max), maxBytes: whole(1).default(DEFAULT_CACHE.maxBytes) }),
  backchannelLogout: z.strictObject({
    path: route,
    clients: oneOrMore(text('a client id'), 'the id of the client that users log in by, or an array of such')
  }, 'an object with path and clients'),
  adminUrl: z.strictObject({ path: route }, 'an object with path'),
  revocation: z.strictObject({
    maxTokenLifetime: whole(1).default(86_400),
    max: whole(1).default(100_000),
    store: z.custom<RevocationStore>(isStore, STORE).optional(),
    maxLag: milliseconds(100).default(10_000)
  }, 'an object with maxTokenLifetime, max, store and maxLag'),
  limits: z.strictObject({
    tokenLength: whole(100).default(32_768),
    jsonDepth: whole(3).max(1000, 'a whole number from 3 to 1000').default(32),
    keySetBytes: whole(1000).default(512 * 1024),
    introspectionBytes: whole(1000).default(128 * 1024)
  }, 'an object with tokenLength, jsonDepth, keySetBytes and introspectionBytes')
}

/** A table: each option, what it may be, and its default. Messages complete "… must be". */
const schema = z.strictObject({
  issuer: realmUrl,
  serverUrl: realmUrl.optional(),
  clientId: text('the id of this API\'s client in Keycloak').default('account'),
  clientSecret: z.union([z.string().min(1), aFunction(SECRET)], SECRET).optional(),
  audience: z.union([oneOrMore(text('a client id'), 'a client id'), z.null()],
    'a client id, an array of them, or null to leave aud unchecked').default(null),
  algorithms: oneOrMore(z.enum(ALGORITHMS, ALGORITHM), ALGORITHM).default(['RS256']),
  permissionPath: z.union([
    z.string(PATH).refine((path) => path.split('.').every((segment) => segment !== ''), PATH),
    z.array(text(PATH)).min(1, PATH),
    aFunction(PATH)
  ], PATH).optional(),
  userIdField: key('a key of the user object, such as "id"').default('username'),
  userIdClaim: text('the name of a claim, such as "sub"').default('preferred_username'),
  claimMapping: z.record(key(MAPPING), text(MAPPING), MAPPING).default({
    firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username'
  }),
  verifySignature: flag.default(true),
  verifyTokensWithKeycloak: flag.default(false),
  verifyCertificate: flag.default(true),
  ca: oneOrMore(z.custom<string | Buffer>(isCertificate, CA), CA).optional(),
  dispatcher: z.custom<NonNullable<KeycloakOptions['dispatcher']>>(isDispatcher, DISPATCHER).optional(),
  leeway: z.number('a number of seconds, 0 or more').min(0, 'a number of seconds, 0 or more').max(86_400, 'a number of seconds, a day at the most').default(0),
  syncUser: aFunction('a function (profile, { claims, request }) => user').optional(),
  extractToken: aFunction('a function (request) => token or null').optional(),
  requireAuthentication: flag.default(false),
  startCheck: warnOrRequire.default('warn'),
  introspection: groups.introspection.prefault({}),
  jwks: groups.jwks.prefault({}),
  cache: z.union([z.literal(false), groups.cache], 'an object with max and maxBytes, or false').prefault({}),
  backchannelLogout: groups.backchannelLogout.optional(),
  adminUrl: groups.adminUrl.optional(),
  revocation: groups.revocation.optional(),
  limits: groups.limits.prefault({})
})

/** The options with their defaults; lists are arrays. */
export type Settings = ReturnType<typeof parseOptions>

/**
 * Check what a user wrote, once.
 * @throws {TypeError} one sentence that names the option and says what it must be; nothing that could be a secret is shown
 */
export function parseOptions (options: unknown) {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw new TypeError(`fastify-keycloak-bearer: ${sentence(parsed.error.issues, options)}`)
  const settings = parsed.data
  if (settings.verifyTokensWithKeycloak && settings.clientSecret === undefined) {
    throw new TypeError('fastify-keycloak-bearer: option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it')
  }
  if (settings.dispatcher !== undefined && (settings.ca !== undefined || !settings.verifyCertificate)) {
    throw new TypeError('fastify-keycloak-bearer: option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher')
  }
  if (!settings.verifySignature && process.env.NODE_ENV === 'production') {
    throw new TypeError('fastify-keycloak-bearer: option "verifySignature" must be true when NODE_ENV is production, since without it anybody can write a token')
  }
  return {
    ...settings,
    baseUrl: (settings.serverUrl ?? settings.issuer).replace(/\/$/, ''),
    permissionPath: (settings.permissionPath ?? ['resource_access', settings.clientId, 'roles']) as NonNullable<KeycloakOptions['permissionPath']>,
    clientSecret: settings.clientSecret as KeycloakOptions['clientSecret'],
    revocation: settings.revocation ?? (settings.backchannelLogout || settings.adminUrl ? groups.revocation.parse({}) : undefined),
    syncUser: settings.syncUser as KeycloakOptions['syncUser'],
    extractToken: settings.extractToken as KeycloakOptions['extractToken']
  }
}

function sentence (issues: readonly z.core.$ZodIssue[], options: unknown): string {
  if (!isObject(options)) return `the options must be an object with issuer at least, not ${kindOf(options)}`
  // A misspelled key explains a missing one: name it first.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? insideObject(issues[0]!, options)
  if (issue.code === 'unrecognized_keys') return unknownKey(issue)
  return `option "${issue.path.join('.')}" must be ${issue.message}, not ${shown(issue.path, options)}`
}

/** Where an object or another thing may stand, and an object does: what is wrong in the object. */
function insideObject (issue: z.core.$ZodIssue, options: object): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || !isObject(valueAt(issue.path, options))) return issue
  const inner = issue.errors.flat().find(({ path }) => path.length > 0)
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] }
}

function unknownKey ({ keys, path }: z.core.$ZodIssueUnrecognizedKeys): string {
  const scope = path.map((segment) => `${String(segment)}.`).join('')
  const written = keys[0]!.slice(0, 40)
  const meant = nearest(keys[0]!, knownKeys(path), 3)
  return `option "${scope}${written}" is unknown${meant === undefined ? '' : `; write "${scope}${meant}"`}`
}

function knownKeys (path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(path.length === 0 ? schema.shape : groups[path[0] as keyof typeof groups].shape)
}

/** Numbers and what looks like an algorithm are shown; anything else could be a secret in the wrong place. */
function shown (path: readonly PropertyKey[], options: object): string {
  const value = valueAt(path, options)
  if (typeof value === 'number' && path[0] !== 'clientSecret') return String(value)
  return path[0] === 'algorithms' && typeof value === 'string' && /^\w{1,6}$/.test(value) ? JSON.stringify(value) : kindOf(value)
}

function valueAt (path: readonly PropertyKey[], options: object): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], options)
}

/** A bundle is judged by its first certificate. */
function isCertificate (value: unknown): boolean {
  try {
    return new X509Certificate(value as string).subject !== undefined
  } catch {
    return false
  }
}

function isDispatcher (value: unknown): boolean {
  const { request, compose } = (value ?? {}) as { request?: unknown, compose?: unknown }
  return typeof request === 'function' && typeof compose === 'function'
}

function isStore (value: unknown): boolean {
  const { follow, publish, close } = (value ?? {}) as Partial<Record<keyof RevocationStore, unknown>>
  return [follow, publish, close].every((each) => typeof each === 'function')
}
