// A wrong option does not compile.
import Fastify, { type FastifyRequest } from 'fastify'
import { expectAssignable, expectError, expectType } from 'tsd'
import { Agent } from 'undici'
import { Cluster, Redis } from 'ioredis'
import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey'
import keycloak, {
  type AccessTokenClaims, type Claims, type Health, type KeycloakOptions, type Profile, redisStore, type RevocationStore,
  type StartCheckCode
} from '../index.js'

const app = Fastify()
declare class Account {
  readonly name: string
  constructor (name: string)
}
declare const row: { id: number } | null
const issuer = 'https://sso.example.com/realms/acme'

app.register(keycloak, { issuer })
app.register(keycloak, () => ({ issuer }))
expectAssignable<KeycloakOptions>({
  issuer,
  serverUrl: 'http://keycloak:8080/realms/acme',
  clientId: 'api',
  clientSecret: 'secret',
  audience: ['api', 'other'],
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  permissionPath: ['resource_access', 'my.api', 'roles'],
  userIdField: 'id',
  userIdClaim: 'sub',
  claimMapping: { email: 'email' },
  verifySignature: true,
  verifyInThreadPool: true,
  verifyTokensWithKeycloak: true,
  verifyCertificate: true,
  ca: ['-----BEGIN CERTIFICATE-----', Buffer.from('')],
  dispatcher: new Agent(),
  leeway: 5,
  authorizedParties: ['web', 'cli'] as const,
  maxTokenAge: 600,
  acrLevels: ['silver', 'gold'],
  tokenType: 'at+jwt',
  requireAuthentication: true,
  introspection: { timeout: 1000, cacheTtl: 500 },
  jwks: { maxAge: 1000, cooldown: 1000, timeout: 1000, maxStale: 1000 },
  cache: { max: 10 },
  startCheck: 'require'
})
expectAssignable<KeycloakOptions>({ issuer, audience: null, algorithms: 'PS512', permissionPath: 'realm_access.roles', cache: false })
expectAssignable<KeycloakOptions>({
  issuer,
  backchannelLogout: { path: '/logout', clients: ['web'] },
  adminUrl: { path: '/keycloak' },
  revocation: { maxTokenLifetime: 300, max: 10, maxLag: 1000, leeway: 60, store: redisStore({ client: new Redis() }) },
  limits: { tokenLength: 8192, jsonDepth: 8, keySetBytes: 1000, introspectionBytes: 1000 },
  introspection: { maxPending: 5 },
  jwks: { preload: 'require' }
})
for (const client of [new Redis(), new Valkey(), new Cluster([]), new ValkeyCluster([])]) expectType<RevocationStore>(redisStore({ client }))
expectError(redisStore({ client: 'redis://127.0.0.1' }))
expectError(redisStore({ client: new Redis(), keyPrefix: 'own' }))
expectError<KeycloakOptions>({ issuer, backchannelLogout: { path: '/logout' } })
expectError<KeycloakOptions>({ issuer, jwks: { preload: true } })
expectError<KeycloakOptions>({ issuer, revocation: { store: {} } })
expectType<Health['revocation']>(app.keycloak.health().revocation)
expectAssignable<KeycloakOptions>({ issuer, clientSecret: async () => 'secret' })
expectAssignable<KeycloakOptions>({ issuer, audience: ['api'] as const, algorithms: ['RS256'] as const })

// Required, misspelled, unknown.
app.register(keycloak, { issuers: [{ issuer }, { name: 'globex', issuer, clientId: 'books', backchannelLogout: { clients: 'web' } }], audience: 'api' })
app.register(keycloak, { issuers: async (iss) => iss === issuer ? { issuer } : null, maxIssuers: 10, backchannelLogout: { path: '/logout' } })
app.register(keycloak, { issuers: [{ issuer }], selectIssuer: ({ hostname }) => hostname === 'acme.example' ? 'acme' : null, syncUser: (_profile, context) => ({ issuer: context.issuer }) })
app.register(keycloak, { issuers: [{ issuer, authorizedParties: 'web', maxTokenAge: 600, tokenType: 'at+jwt', groupsClaim: 'teams', acrLevels: ['low', 'high'] }] })
expectError(app.register(keycloak, { issuer, issuers: [{ issuer }] }))
expectError(app.register(keycloak, { issuers: [{}] }))
expectError(app.register(keycloak, { issuers: { issuer } }))
expectError(app.register(keycloak, { issuers: [{ issuer, leeway: 5 }] }))
expectError(app.register(keycloak, { issuers: [{ issuer, syncUser: () => null }] }))
expectError(app.register(keycloak, { issuers: (iss: string) => iss }))
expectError(app.register(keycloak, { issuers: [{ issuer }], serverUrl: issuer }))
expectError(app.register(keycloak, { issuers: [{ issuer }], selectIssuer: () => undefined }))
expectError(app.register(keycloak, { issuers: [{ issuer }], selectIssuer: async () => 'acme' }))
expectError(app.register(keycloak))
expectError(app.register(keycloak, {}))
expectError(app.register(keycloak, { clientId: 'api' }))
expectError(app.register(keycloak, { issuer, audiance: 'api' }))
expectError(app.register(keycloak, { issuer, clientID: 'api' }))
expectError(app.register(keycloak, { issuer, jwks: { maxage: 5 } }))
expectError(app.register(keycloak, { issuer, introspection: { ttl: 5 } }))

// Wrong.
expectError(app.register(keycloak, { issuer: 5 }))
expectError(app.register(keycloak, { issuer: new URL(issuer) }))
expectError(app.register(keycloak, { issuer, audience: 5 }))
expectError(app.register(keycloak, { issuer, audience: [5] }))
expectError(app.register(keycloak, { issuer, clientSecret: 5 }))
expectError(app.register(keycloak, { issuer, clientSecret: () => 5 }))
expectError(app.register(keycloak, { issuer, algorithms: 'HS256' }))
expectError(app.register(keycloak, { issuer, algorithms: 'none' }))
expectError(app.register(keycloak, { issuer, algorithms: ['RS256', 'HS256'] }))
expectError(app.register(keycloak, { issuer, permissionPath: 5 }))
app.register(keycloak, { issuer, userIdClaim: 'account.id', claimMapping: { city: 'address.locality', tenant: ['https://example.com/tenant'] } })
app.register(keycloak, { issuer, userIdClaim: ['account', 'id'], introspection: { keepClaims: ['readonly'] } })
expectError(app.register(keycloak, { issuer, userIdClaim: [] }))
expectError(app.register(keycloak, { issuer, claimMapping: { city: [5] } }))
expectError(app.register(keycloak, { issuer, claimMapping: { email: 5 } }))
expectError(app.register(keycloak, { issuer, claimMapping: ['email'] }))
expectError(app.register(keycloak, { issuer, userIdClaim: 5 }))
expectError(app.register(keycloak, { issuer, leeway: '5' }))
expectError(app.register(keycloak, { issuer, maxTokenAge: '10m' }))
expectError(app.register(keycloak, { issuer, acrLevels: ['gold'] }))
expectError(app.register(keycloak, { issuer, acrLevels: 'gold' }))
expectError(app.register(keycloak, { issuer, tokenType: 'JWT' }))
expectError(app.register(keycloak, { issuer, authorizedParties: [5] }))
expectError(app.register(keycloak, { issuer, verifySignature: 'no' }))
expectError(app.register(keycloak, { issuer, verifyInThreadPool: 4 }))
expectError(app.register(keycloak, { issuer, requireAuthentication: 'yes' }))
expectError(app.register(keycloak, { issuer, jwks: { maxAge: '5m' } }))
expectError(app.register(keycloak, { issuer, cache: true }))
expectError(app.register(keycloak, { issuer, cache: { max: '5' } }))
expectError(app.register(keycloak, { issuer, dispatcher: {} }))

// Functions get typed parameters.
app.register(keycloak, {
  issuer,
  permissionPath: (claims) => {
    expectType<AccessTokenClaims>(claims)
    return claims.roles
  },
  extractToken: (request) => {
    expectType<FastifyRequest>(request)
    return request.headers['x-token']?.toString()
  },
  syncUser: async (profile, { claims, request }) => {
    expectType<Profile>(profile)
    expectType<unknown>(profile.username)
    expectType<Claims>(claims)
    expectType<FastifyRequest>(request)
    return { username: String(profile.username), isActive: true }
  }
})
app.register(keycloak, { issuer, extractToken: () => null })
app.register(keycloak, { issuer, syncUser: () => ({ username: 'a' }) })
app.register(keycloak, { issuer, syncUser: () => new Account('a') })
app.register(keycloak, { issuer, syncUser: async () => row })
app.register(keycloak, { issuer, syncUser: (profile) => profile })
app.register(keycloak, { issuer, syncUser: () => null })
app.register(keycloak, { issuer, syncUser: async () => null })
expectError(app.register(keycloak, { issuer, syncUser: () => 'alice' }))
expectError(app.register(keycloak, { issuer, syncUser: async () => true }))
expectError(app.register(keycloak, { issuer, syncUser: (profile: string) => ({ profile }) }))
expectError(app.register(keycloak, { issuer, extractToken: () => 5 }))
expectError(app.register(keycloak, { issuer, extractToken: async () => 'token' }))

expectAssignable<KeycloakOptions>({ issuer, startCheck: false })
expectError<KeycloakOptions>({ issuer, startCheck: true })
expectError<KeycloakOptions>({ issuer, startCheck: 'warm' })
expectAssignable<StartCheckCode>('issuer_mismatch')
expectError<StartCheckCode>('issuer')
