import * as z from 'zod'
import type { KeycloakOptions } from '../../types/options.js'
import type { RevocationStore } from '../../types/revocation.js'
import { certificateFault } from './certificate.js'
import { dispatcherFault, isDispatcher } from './dispatcher.js'
import { isProduction } from '../util/environment.js'
import { isObject } from '../util/strict-json.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { FOREIGN } from './unknown-option.js'
import { sentence } from './explain-issue.js'
import { WITHDRAWABLE } from './kept-claims.js'
import { isRealmUrl, realmUrlFault } from './realm-url.js'

/** RFC 7518 section 3.1 and RFC 8037; whoever holds a public key could make an HS* token, and anybody a none one. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** What setTimeout can count to, in milliseconds: 24 days. */
const MAX_TIME = 2_147_483_647

const text = (what: string) => z.string(what).min(1, what)
const flag = z.boolean('true or false')
const whole = (least: number, unit = '') => {
  const what = `a whole number ${unit}from ${least}`
  return z.int(what).min(least, what)
}
const milliseconds = (least: number) => {
  const what = `a whole number of milliseconds from ${least} to ${MAX_TIME}`
  return z.int(what).min(least, what).max(MAX_TIME, what)
}
const secondsWithinADay = z.number('a number of seconds, 0 or more').min(0, 'a number of seconds, 0 or more').max(86_400, 'a number of seconds, a day at the most')
const REALM = 'the full URL of a realm, such as https://sso.example.com/realms/acme'
const realmUrl = z.string(REALM).min(1, REALM).superRefine((value, context) => {
  const fault = realmUrlFault(value)
  if (fault === undefined) return
  const message = isRealmUrl(value) ? REALM : 'an http or https URL without user name, query, fragment or white space, such as https://sso.example.com/realms/acme'
  context.addIssue({ code: 'custom', message, params: { found: fault } })
})
/** What is compared to the letter elsewhere, and often comes from a file or an environment variable. */
const given = (what: string) => text(what).superRefine((value, context) => {
  const fault = /^(undefined|null)$/.test(value)
    ? `the text "${value}": is an environment variable unset?`
    : value !== value.trim() && 'one with white space around it, such as the line break at the end of a file: write .trim()'
  if (fault !== false) context.addIssue({ code: 'custom', message: what, params: { found: fault } })
})
const oneOrMore = <T extends z.ZodType>(item: T, what: string) =>
  z.union([item, z.array(item).min(1, what)], what).transform((value) => [value].flat() as Array<z.output<T>>)
const aFunction = (what: string) => z.custom<(...parameters: never[]) => unknown>((value) => typeof value === 'function', what)
const key = (what: string) => text(what).refine((name) => name !== '__proto__', { message: what, params: { found: '"__proto__"' } })

const PATH = 'a dotted string such as "realm_access.roles", an array of segments, or a function of the claims'
const MAPPING = 'an object of user keys and claim names, such as { email: "email" }'
const ALGORITHM = `one or more of ${ALGORITHMS.join(', ')}: a secret (HS*) or no signature (none) cannot prove who issued a token`
const SECRET = 'the secret of that client, or a function that returns it'
const CLAIM = 'the name of a claim, such as "email"'
const KEEP = 'an array of names of claims that restrict, such as ["readonly"]'
const CA = 'a certificate in PEM as string or Buffer (its text, not its path), or an array of them'
const STORE = 'a store of revocations, such as redisStore({ client })'
const DISPATCHER = 'a dispatcher of undici 7 or 8, such as new ProxyAgent(url)'

/** The way to a claim, whose segments dots part: those of a URL would be parted too. */
const dotted = (what: string) => text(what).superRefine((path, context) => {
  const found = path.includes('://')
    ? 'a URL, which its dots would take apart: write an array of one segment'
    : path.split('.').includes('') && path !== '' && 'one with an empty segment'
  if (found !== false) context.addIssue({ code: 'custom', message: what, params: { found } })
})
const claimPath = (what: string) => z.union([dotted(what), z.array(text(what)).min(1, what)], what)
const keptClaim = key(KEEP).superRefine((name, context) => {
  if (WITHDRAWABLE.has(name)) context.addIssue({ code: 'custom', message: KEEP, params: { found: `"${name}", which is missing in an answer when what it grants was withdrawn` } })
})
const certificate = z.custom<string | Buffer>(isPem, CA).superRefine((value, context) => {
  const found = certificateFault(value)
  if (found !== undefined) context.addIssue({ code: 'custom', message: CA, params: { found } })
})
const dispatcher = z.custom<NonNullable<KeycloakOptions['dispatcher']>>(isDispatcher, DISPATCHER).superRefine((value, context) => {
  const found = dispatcherFault(value)
  if (found !== undefined) context.addIssue({ code: 'custom', message: DISPATCHER, params: { found } })
})
const warnOrRequire = z.union([z.literal(false), z.enum(['warn', 'require'])], '"warn", "require" or false')
const route = (example: string) => {
  const what = `the path of a route that begins with a slash and has no parameters, such as "${example}"`
  return z.string(what).regex(/^\/[^?#:*]*$/, what)
}

/** Of verified tokens, and of the answers of introspection that are shared. */
export const DEFAULT_CACHE = { max: 1000, maxBytes: 16 * 1024 * 1024 }

/** The options that are objects themselves. */
const groups = {
  introspection: z.strictObject({
    timeout: milliseconds(1).default(5000),
    cacheTtl: milliseconds(0).default(0),
    maxPending: whole(1).default(1000),
    keepClaims: z.array(keptClaim, KEEP).default([])
  }, 'an object with timeout, cacheTtl, maxPending and keepClaims'),
  jwks: z.strictObject({
    maxAge: milliseconds(1).default(600_000),
    cooldown: milliseconds(0).default(1000),
    timeout: milliseconds(1).default(5000),
    maxStale: milliseconds(0).default(3_600_000),
    preload: warnOrRequire.default(false)
  }, 'an object with maxAge, cooldown, timeout, maxStale and preload'),
  cache: z.strictObject({ max: whole(1).default(DEFAULT_CACHE.max), maxBytes: whole(1).default(DEFAULT_CACHE.maxBytes) }),
  backchannelLogout: z.strictObject({
    path: route('/backchannel-logout'),
    clients: oneOrMore(given('a client id'), 'the id of the client that users log in by, or an array of such')
  }, 'an object with path and clients'),
  adminUrl: z.strictObject({ path: route('/keycloak') }, 'an object with path'),
  revocation: z.strictObject({
    maxTokenLifetime: whole(1, 'of seconds ').default(86_400),
    max: whole(1).default(100_000),
    store: z.custom<RevocationStore>(isStore, STORE).optional(),
    maxLag: milliseconds(100).default(10_000),
    leeway: secondsWithinADay.default(300)
  }, 'an object with maxTokenLifetime, max, store, maxLag and leeway'),
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
  clientId: given('the id of this API\'s client in Keycloak').optional(),
  clientSecret: z.union([given(SECRET), aFunction(SECRET)], SECRET).optional(),
  audience: z.union([oneOrMore(given('a client id'), 'a client id'), z.null()],
    'a client id, an array of them, or null to leave aud unchecked').default(null),
  algorithms: oneOrMore(z.enum(ALGORITHMS, ALGORITHM), ALGORITHM).default(['RS256']),
  permissionPath: z.union([dotted(PATH), z.array(text(PATH)).min(1, PATH), aFunction(PATH)], PATH).optional(),
  userIdField: key('a key of the user object, such as "id"').default('username'),
  userIdClaim: claimPath('the name of a claim, such as "sub"').default('preferred_username'),
  acceptUnverifiedEmail: flag.default(false),
  claimMapping: z.record(key(MAPPING), claimPath(CLAIM), MAPPING).default({
    firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username'
  }),
  verifySignature: flag.default(true),
  verifyTokensWithKeycloak: flag.default(false),
  verifyCertificate: flag.default(true),
  ca: oneOrMore(certificate, CA).optional(),
  dispatcher: dispatcher.optional(),
  leeway: secondsWithinADay.default(0),
  syncUser: aFunction('a function (profile, { claims, request }) => user').optional(),
  extractToken: aFunction('a function (request) => token or null').optional(),
  requireAuthentication: flag.default(false),
  startCheck: warnOrRequire.default('warn'),
  introspection: groups.introspection.prefault(() => withoutPrototype({})),
  jwks: groups.jwks.prefault(() => withoutPrototype({})),
  cache: z.union([z.literal(false), groups.cache], 'an object with max and maxBytes, or false').prefault(() => withoutPrototype({})),
  backchannelLogout: groups.backchannelLogout.optional(),
  adminUrl: groups.adminUrl.optional(),
  revocation: groups.revocation.optional(),
  limits: groups.limits.prefault(() => withoutPrototype({}))
})

const known = {
  names: Object.fromEntries(Object.entries({ '': schema, ...groups }).map(([group, { shape }]) => [group, Object.keys(shape)])),
  foreign: FOREIGN
}

/** The options with their defaults; lists are arrays. */
export type Settings = ReturnType<typeof parseOptions>

/**
 * Check what a user wrote, once.
 * @throws {TypeError} one sentence that names the option and says what it must be; nothing that could be a secret is shown
 */
export function parseOptions (options: unknown) {
  const parsed = schema.safeParse(writtenBy(options))
  if (!parsed.success) throw new TypeError(`fastify-keycloak-bearer: ${sentence(parsed.error.issues, options, known, ' with issuer at least')}`)
  const settings = withoutPrototype(parsed.data)
  if (settings.verifyTokensWithKeycloak && settings.clientSecret === undefined) {
    throw new TypeError('fastify-keycloak-bearer: option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it')
  }
  if (settings.dispatcher !== undefined && (settings.ca !== undefined || !settings.verifyCertificate)) {
    throw new TypeError('fastify-keycloak-bearer: option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher')
  }
  if (!settings.verifySignature && isProduction()) {
    throw new TypeError('fastify-keycloak-bearer: option "verifySignature" must be true when NODE_ENV is production, since without it anybody can write a token')
  }
  const revocation = settings.revocation ?? (settings.backchannelLogout || settings.adminUrl ? groups.revocation.parse(withoutPrototype({})) : undefined)
  const { clientId = 'account' } = settings
  return withoutPrototype({
    ...settings,
    clientId,
    baseUrl: (settings.serverUrl ?? settings.issuer).replace(/\/$/, ''),
    permissionPath: (settings.permissionPath ?? ['resource_access', clientId, 'roles']) as NonNullable<KeycloakOptions['permissionPath']>,
    /** Are roles read from Keycloak's own client, since nobody said which? */
    readsAccountRoles: settings.clientId === undefined && settings.permissionPath === undefined,
    clientSecret: settings.clientSecret as KeycloakOptions['clientSecret'],
    revocation: revocation && withoutPrototype(revocation),
    syncUser: settings.syncUser as KeycloakOptions['syncUser'],
    extractToken: settings.extractToken as KeycloakOptions['extractToken']
  })
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

function isPem (value: unknown): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

function isStore (value: unknown): boolean {
  const { follow, publish, close } = (value ?? {}) as Partial<Record<keyof RevocationStore, unknown>>
  return [follow, publish, close].every((each) => typeof each === 'function')
}
