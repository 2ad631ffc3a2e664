import { getHeapStatistics } from 'node:v8'
import type { RevocationStore } from '../../types/revocation.js'
import { withoutPrototype } from '../util/members.js'
import { acrLevels } from './acr-levels.js'
import { clientAssertion, clientAssertionGroup, clientCertificate, clientCertificateGroup } from './client-authentication.js'
import { dpop, dpopGroup, dpopGroups } from './dpop.js'
import { mtls, mtlsGroup } from './mtls.js'
import { resource, resourceGroup } from './resource.js'
import { either, filledIn, type Group, group, list, oneOf, optional, record, valueThat } from './schemas.js'
import { scopeImplies } from './scope-implies.js'
import { uma, umaGroup } from './uma.js'
import { acceptedRisks, aFunction, ALGORITHM, ALGORITHMS, atMost, CA, certificate, CLAIM, claimPath, dispatcher, dotted, exactText, flag, isStore, ISSUERS, KEEP, keptClaim, key, MAPPING, milliseconds, oneOrMore, PARTIES, PARTY, PATH, realmUrl, route, secondsWithinADay, SECRET, STORE, text, TOKEN_TYPE, warnOrRequire, whole } from './values.js'

const MIB = 1024 ** 2

/**
 * The default bounds of the cache of verified tokens, and of the introspection answers that are shared: 50,000 usual tokens, but
 * no more than an eighth of the memory that the process may use for objects, which is small in a small container.
 */
export const DEFAULT_CACHE = { max: 50_000, maxBytes: Math.min(192 * MIB, Math.floor(getHeapStatistics().heap_size_limit / 8)) }

const DEFAULT_ALGORITHMS = ['RS256'] as const

const OPTIONS = 'an object'
const AUDIENCE = 'a client id, an array of them, or null to leave aud unchecked'
const CACHE = 'an object with max and maxBytes, or false'
const BACKCHANNEL_LOGOUT = 'an object with path and clients'

const anything = valueThat<unknown>(() => true, 'anything')
const logoutClients = oneOrMore(exactText('a client id'), 'the id of the client that users log in by, or an array of such')

/** The options that are objects themselves. */
export const groups = {
  introspection: group({
    timeout: optional(milliseconds(1), 5000),
    cacheTtl: optional(milliseconds(0), 0),
    maxPending: optional(whole(1), 1000),
    keepClaims: optional(list(keptClaim, KEEP), () => [])
  }, 'an object with timeout, cacheTtl, maxPending and keepClaims'),
  jwks: group({
    maxAge: optional(milliseconds(1), 600_000),
    cooldown: optional(milliseconds(0), 1000),
    timeout: optional(milliseconds(1), 5000),
    maxStale: optional(milliseconds(0), 3_600_000),
    preload: optional(warnOrRequire, false)
  }, 'an object with maxAge, cooldown, timeout, maxStale and preload'),
  outbound: group({
    timeout: optional(milliseconds(1), 5000),
    maxPending: optional(whole(1), 1000),
    max: optional(whole(1), 1000),
    maxBytes: optional(whole(1), 16 * MIB)
  }, 'an object with timeout, maxPending, max and maxBytes'),
  cache: group({ max: optional(whole(1), DEFAULT_CACHE.max), maxBytes: optional(whole(1), DEFAULT_CACHE.maxBytes) }, CACHE),
  backchannelLogout: group({
    path: route('/backchannel-logout'),
    clients: logoutClients
  }, BACKCHANNEL_LOGOUT),
  adminUrl: group({ path: route('/keycloak') }, 'an object with path'),
  clientAssertion: clientAssertionGroup,
  clientCertificate: clientCertificateGroup,
  dpop: dpopGroup,
  mtls: mtlsGroup,
  resource: resourceGroup,
  uma: umaGroup,
  revocation: group({
    maxTokenLifetime: optional(whole(1, 'of seconds '), 86_400),
    max: optional(whole(1), 100_000),
    store: optional(valueThat<RevocationStore>(isStore, STORE)),
    maxLag: optional(milliseconds(100), 10_000),
    leeway: optional(secondsWithinADay, 300)
  }, 'an object with maxTokenLifetime, max, store, maxLag and leeway'),
  limits: group({
    tokenLength: optional(whole(100), 32_768),
    jsonDepth: optional(atMost(1000, whole(3), 'a whole number from 3 to 1000'), 32),
    keySetBytes: optional(whole(1000), 512 * 1024),
    introspectionBytes: optional(whole(1000), 128 * 1024)
  }, 'an object with tokenLength, jsonDepth, keySetBytes and introspectionBytes')
}

/** The objects within the groups, by group. */
export const innerGroups: Readonly<Record<string, Readonly<Record<string, Group>>>> = withoutPrototype({ dpop: dpopGroups })

/** The options of a plugin of one issuer, each with its valid values and its default. Messages complete "option … must be". */
export const schema = group({
  issuer: realmUrl,
  serverUrl: optional(realmUrl),
  clientId: optional(exactText('the id of this API\'s client in Keycloak')),
  clientSecret: optional(either([exactText(SECRET), aFunction(SECRET)], SECRET)),
  clientAssertion: optional(clientAssertion),
  clientCertificate: optional(clientCertificate),
  audience: optional(either([oneOrMore(exactText('a client id'), 'a client id'), oneOf([null], AUDIENCE)], AUDIENCE), null),
  authorizedParties: optional(oneOrMore(exactText(PARTY), PARTIES)),
  maxTokenAge: optional(whole(1, 'of seconds ')),
  tokenType: optional(oneOf(['at+jwt'], TOKEN_TYPE)),
  algorithms: optional(oneOrMore(oneOf(ALGORITHMS, ALGORITHM), ALGORITHM), () => [...DEFAULT_ALGORITHMS]),
  permissionPath: optional(either([dotted(PATH), list(text(PATH), PATH, 1), aFunction(PATH)], PATH)),
  groupsClaim: optional(claimPath('the name or path of a claim, such as "groups"'), 'groups'),
  scopeImplies: optional(scopeImplies),
  acrLevels: optional(acrLevels),
  userIdField: optional(key('a key of the user object, such as "id"'), 'username'),
  userIdClaim: optional(claimPath('the name of a claim, such as "sub"'), 'preferred_username'),
  acceptUnverifiedEmail: optional(flag, false),
  claimMapping: optional(record(key(MAPPING), claimPath(CLAIM), MAPPING), () => ({
    firstName: 'given_name', lastName: 'family_name', email: 'email', username: 'preferred_username'
  })),
  verifySignature: optional(flag, true),
  verifyInThreadPool: optional(flag, false),
  verifyTokensWithKeycloak: optional(flag, false),
  verifyCertificate: optional(flag, true),
  ca: optional(oneOrMore(certificate, CA)),
  dispatcher: optional(dispatcher),
  leeway: optional(secondsWithinADay, 0),
  syncUser: optional(aFunction('a function (profile, { claims, request }) => user')),
  extractToken: optional(aFunction('a function (request) => token or null')),
  selectIssuer: optional(aFunction('a function (request) => the name of an issuer, or null')),
  dpop,
  mtls,
  resource,
  requireAuthentication: optional(flag, false),
  startCheck: optional(warnOrRequire, 'warn'),
  acceptRisks: optional(acceptedRisks, () => []),
  introspection: optional(groups.introspection, () => filledIn(groups.introspection)),
  outbound: optional(groups.outbound, () => filledIn(groups.outbound)),
  jwks: optional(groups.jwks, () => filledIn(groups.jwks)),
  cache: optional(either([oneOf([false], CACHE), groups.cache], CACHE), () => filledIn(groups.cache)),
  backchannelLogout: optional(groups.backchannelLogout),
  adminUrl: optional(groups.adminUrl),
  revocation: optional(groups.revocation),
  uma,
  limits: optional(groups.limits, () => filledIn(groups.limits))
}, OPTIONS)

/** An entry of `issuers`, with the options beside `issuers` as its defaults. */
export const entrySchema = group({ ...schema.members, name: optional(exactText('the name of the issuer, such as "acme"')) }, OPTIONS)

const { issuer, serverUrl, ...common } = schema.members

/** The options beside `issuers`; each entry is checked by itself. */
export const severalSchema = group({
  ...common,
  issuers: either([list(anything, ISSUERS, 1), aFunction(ISSUERS)], ISSUERS),
  maxIssuers: optional(whole(1), 100),
  backchannelLogout: optional(group({ ...groups.backchannelLogout.members, clients: optional(logoutClients) }, BACKCHANNEL_LOGOUT))
}, OPTIONS)
