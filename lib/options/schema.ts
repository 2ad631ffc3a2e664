import * as z from 'zod'
import type { RevocationStore } from '../../types/revocation.js'
import { withoutPrototype } from '../util/members.js'
import { acrLevels } from './acr-levels.js'
import { clientAssertion, clientAssertionGroup, clientCertificate, clientCertificateGroup } from './client-authentication.js'
import { dpop, dpopGroup, dpopGroups } from './dpop.js'
import { mtls, mtlsGroup } from './mtls.js'
import { resource, resourceGroup } from './resource.js'
import { scopeImplies } from './scope-implies.js'
import { uma, umaGroup } from './uma.js'
import { acceptedRisks, aFunction, ALGORITHM, ALGORITHMS, CA, certificate, CLAIM, claimPath, dispatcher, dotted, exactText, flag, isStore, ISSUERS, KEEP, keptClaim, key, MAPPING, milliseconds, oneOrMore, PARTIES, PARTY, PATH, realmUrl, route, secondsWithinADay, SECRET, STORE, text, TOKEN_TYPE, warnOrRequire, whole } from './values.js'

/** The default bounds of the cache of verified tokens, of the introspection answers that are shared, and of tokens for other services. */
export const DEFAULT_CACHE = { max: 1000, maxBytes: 16 * 1024 * 1024 }

/** The options that are objects themselves. */
export const groups = {
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
  outbound: z.strictObject({
    timeout: milliseconds(1).default(5000),
    maxPending: whole(1).default(1000),
    max: whole(1).default(DEFAULT_CACHE.max),
    maxBytes: whole(1).default(DEFAULT_CACHE.maxBytes)
  }, 'an object with timeout, maxPending, max and maxBytes'),
  cache: z.strictObject({ max: whole(1).default(DEFAULT_CACHE.max), maxBytes: whole(1).default(DEFAULT_CACHE.maxBytes) }),
  backchannelLogout: z.strictObject({
    path: route('/backchannel-logout'),
    clients: oneOrMore(exactText('a client id'), 'the id of the client that users log in by, or an array of such')
  }, 'an object with path and clients'),
  adminUrl: z.strictObject({ path: route('/keycloak') }, 'an object with path'),
  clientAssertion: clientAssertionGroup,
  clientCertificate: clientCertificateGroup,
  dpop: dpopGroup,
  mtls: mtlsGroup,
  resource: resourceGroup,
  uma: umaGroup,
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

/** The objects within the groups, by group. */
export const innerGroups: Readonly<Record<string, Readonly<Record<string, z.ZodObject>>>> = { dpop: dpopGroups }

/** The options of a plugin of one issuer, each with its valid values and its default. Messages complete "option … must be". */
export const schema = z.strictObject({
  issuer: realmUrl,
  serverUrl: realmUrl.optional(),
  clientId: exactText('the id of this API\'s client in Keycloak').optional(),
  clientSecret: z.union([exactText(SECRET), aFunction(SECRET)], SECRET).optional(),
  clientAssertion: clientAssertion.optional(),
  clientCertificate: clientCertificate.optional(),
  audience: z.union([oneOrMore(exactText('a client id'), 'a client id'), z.null()],
    'a client id, an array of them, or null to leave aud unchecked').default(null),
  authorizedParties: oneOrMore(exactText(PARTY), PARTIES).optional(),
  maxTokenAge: whole(1, 'of seconds ').optional(),
  tokenType: z.literal('at+jwt', TOKEN_TYPE).optional(),
  algorithms: oneOrMore(z.enum(ALGORITHMS, ALGORITHM), ALGORITHM).default(['RS256']),
  permissionPath: z.union([dotted(PATH), z.array(text(PATH)).min(1, PATH), aFunction(PATH)], PATH).optional(),
  groupsClaim: claimPath('the name or path of a claim, such as "groups"').default('groups'),
  scopeImplies: scopeImplies.optional(),
  acrLevels: acrLevels.optional(),
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
  selectIssuer: aFunction('a function (request) => the name of an issuer, or null').optional(),
  dpop,
  mtls,
  resource,
  requireAuthentication: flag.default(false),
  startCheck: warnOrRequire.default('warn'),
  acceptRisks: acceptedRisks.default([]),
  introspection: groups.introspection.prefault(() => withoutPrototype({})),
  outbound: groups.outbound.prefault(() => withoutPrototype({})),
  jwks: groups.jwks.prefault(() => withoutPrototype({})),
  cache: z.union([z.literal(false), groups.cache], 'an object with max and maxBytes, or false').prefault(() => withoutPrototype({})),
  backchannelLogout: groups.backchannelLogout.optional(),
  adminUrl: groups.adminUrl.optional(),
  revocation: groups.revocation.optional(),
  uma,
  limits: groups.limits.prefault(() => withoutPrototype({}))
})

/** An entry of `issuers`, with the options beside `issuers` as its defaults. */
export const entrySchema = schema.extend({ name: exactText('the name of the issuer, such as "acme"').optional() })

/** The options beside `issuers`; each entry is checked by itself. */
export const severalSchema = schema.omit({ issuer: true, serverUrl: true }).extend({
  issuers: z.union([z.array(z.unknown()).min(1, ISSUERS), aFunction(ISSUERS)], ISSUERS),
  maxIssuers: whole(1).default(100),
  backchannelLogout: groups.backchannelLogout.partial({ clients: true }).optional()
})
