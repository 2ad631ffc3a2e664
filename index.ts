import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { recordOf } from './lib/access/added-routes.js'
import { AlgorithmAdvice } from './lib/token/algorithm-advice.js'
import { createAuthenticate } from './lib/request/authenticate.js'
import { bearerToken } from './lib/request/credentials.js'
import { createOnError, withHeaders } from './lib/request/challenge.js'
import { Closing } from './lib/keycloak/closing.js'
import { untilClosed } from './lib/request/early-close.js'
import { createDenials } from './lib/access/denial.js'
import { warnOfEarlierRoutes } from './lib/access/earlier-routes.js'
import { KeycloakError, notValid } from './lib/errors.js'
import { tokenExtractor, watchSetters } from './lib/request/extract-token.js'
import { createIdentification } from './lib/realm/identify.js'
import { createIdentityBy } from './lib/token/identity.js'
import { ACCESS_TOKEN, type JwsRules } from './lib/token/jws.js'
import { KeySource } from './lib/keys/key-source.js'
import { warnOfLookalikes } from './lib/access/lookalikes.js'
import { TokenCache } from './lib/token/token-cache.js'
import { watchMiddleware } from './lib/access/middleware.js'
import { EndpointHealth } from './lib/diagnostics/endpoint-health.js'
import { openapi } from './lib/openapi/transform.js'
import { parseOptions, type Settings } from './lib/options/options.js'
import { holds } from './lib/access/permission-rule.js'
import { rolesAt } from './lib/access/roles.js'
import { warnOfOutsideRoutes } from './lib/access/outside-routes.js'
import { redisStore } from './lib/revocation/redis-store.js'
import { Routes } from './lib/access/route-registry.js'
import { warnOfRisks } from './lib/options/risky-settings.js'
import { refuseNeighbours } from './lib/request/decorators.js'
import { preload } from './lib/keys/preload.js'
import { checkKeycloak } from './lib/doctor/start-check.js'
import { startLog } from './lib/diagnostics/start-log.js'
import { refuseTestKeys } from './lib/keys/test-keys.js'
import { createTokenReasons } from './lib/token/token-reasons.js'
import { KeycloakClient } from './lib/keycloak/client.js'
import { createToUser } from './lib/request/user.js'
import { createVerification, type Verified } from './lib/token/verify.js'
import './types/fastify.js'
import type { Health, KeycloakInstance } from './types/instance.js'
import type { KeycloakOptions } from './types/options.js'
import type { SyncPermissionRule } from './types/rules.js'
import type { Claims } from './types/user.js'

async function plugin (fastify: FastifyInstance, options: KeycloakOptions): Promise<void> {
  const settings = parseOptions(options)
  refuseNeighbours(fastify)
  const log = startLog(fastify.log)
  warnOfRisks(settings, log)
  const record = recordOf(fastify)
  const earlier = warnOfEarlierRoutes(fastify, log)
  const middleware = settings.requireAuthentication ? watchMiddleware(fastify, log) : undefined
  const setters = settings.extractToken ? watchSetters(fastify, log) : undefined

  const closing = new Closing()
  const keycloakClient = new KeycloakClient(settings, closing)
  const { keys, introspection, revoked, identification, health, close } = await createSteps(settings, keycloakClient, fastify)
  fastify.addHook('preClose', async () => closing.begin())
  fastify.addHook('onClose', () => {
    closing.finish()
    close()
    return keycloakClient.close()
  })
  await untilClosed(fastify, closing, async () => {
    await checkKeycloak(fastify, { settings, keycloakClient, introspection, keys: settings.verifySignature ? keys : undefined }, log)
    if (settings.verifySignature) await preload(keys, settings)
  })
  const rolesOf = rolesAt(settings.permissionPath)
  const identityBy = createIdentityBy()
  const routes = new Routes(settings.requireAuthentication, earlier.onLate)
  const realm = settings.issuer.split('/').filter(Boolean).at(-1)!

  fastify.decorateRequest('user', null)
  fastify.decorateRequest('auth', null)
  fastify.decorateRequest('hasPermission', function hasPermission (this: FastifyRequest, rule: SyncPermissionRule): boolean {
    // Undefined in a scope that was loaded before the plugin.
    return this.auth != null && holds(rule, { roles: rolesOf(identityBy(this.auth)), claims: this.auth, request: this })
  })
  const instance: KeycloakInstance = {
    verify: async (token: unknown) => {
      try {
        if (typeof token !== 'string') throw notValid('token_not_string')
        return (await identification.identify(token)).claims as Claims
      } catch (error) {
        // Another one: several callers may have been refused by the same, and for a program it is of use where it asked.
        const refused = error as KeycloakError
        throw withHeaders(new KeycloakError(refused.code, () => refused), realm)
      }
    },
    routes: () => routes.list(),
    health
  }
  fastify.decorate('keycloak', instance)
  fastify.addHook('onRoute', (route) => routes.add(route))
  fastify.addHook('onReady', async () => {
    routes.settle()
    warnOfOutsideRoutes(record, log)
    middleware?.()
    setters?.()
    warnOfLookalikes([...earlier.all(), ...routes.added()], settings.requireAuthentication, log)
  })
  const extractToken = settings.extractToken && tokenExtractor(settings.extractToken)
  fastify.addHook('onRequest', createAuthenticate({ routes, extractToken, identification, toUser: createToUser(settings), rolesOf, denials: createDenials(settings), closing }))
  fastify.addHook('onError', createOnError(realm))
  if (revoked !== undefined) await untilClosed(fastify, closing, () => revoked.start(fastify))
}

/** From a token to who it is about now, and how Keycloak does meanwhile. What not every API needs is loaded where it is asked for. */
async function createSteps (settings: Settings, keycloakClient: KeycloakClient, fastify: FastifyInstance) {
  const { log } = fastify
  const reasons = createTokenReasons(settings)
  const expected = {
    issuer: settings.issuer,
    audience: settings.audience && new Set(settings.audience),
    leeway: settings.leeway,
    explain: reasons.claims
  }
  const { keySetBytes, introspectionBytes, jsonDepth } = settings.limits
  const keys = new KeySource({ ...settings.jwks, maxBytes: keySetBytes, isRefused: refuseTestKeys(settings, log) }, settings.baseUrl, keycloakClient, new EndpointHealth('certs', log))
  const cache = settings.cache === false ? undefined : new TokenCache<Verified>(settings.cache)
  const jws: JwsRules = {
    algorithms: new Set<string>(settings.algorithms),
    types: ACCESS_TOKEN,
    maxLength: settings.limits.tokenLength,
    maxDepth: jsonDepth
  }
  const advice = new AlgorithmAdvice({ keys, issuer: settings.issuer, jws, log: startLog(log) })
  const verification = createVerification({
    ...expected,
    jws: { ...jws, explain: reasons.header, ...(settings.verifySignature && { onOtherAlgorithm: (token, header) => advice.consider(token, header) }) },
    keys: settings.verifySignature ? keys : null,
    cache,
    audienceOptional: settings.verifyTokensWithKeycloak
  })
  const endpointHealth = settings.verifyTokensWithKeycloak ? new EndpointHealth('token/introspect', log) : undefined
  const introspection = endpointHealth && (await import('./lib/introspection/introspection.js')).createIntrospection({
    ...expected,
    ...settings.introspection,
    clientId: settings.clientId,
    clientSecret: settings.clientSecret!,
    log,
    kept: settings.cache,
    maxBytes: introspectionBytes,
    maxDepth: jsonDepth
  }, keycloakClient, endpointHealth)

  const revoked = settings.revocation && new (await import('./lib/revocation/realm-revocation.js')).RealmRevocation({ settings, revocation: settings.revocation, keys, closing: keycloakClient.closing, log })

  function health (): Health {
    const asking = introspection?.health() ?? null
    const revocation = revoked?.health() ?? null
    return {
      ok: keys.usable && asking?.ok !== false && revocation?.ok !== false,
      keys: keys.health(),
      cache: cache === undefined ? null : { tokens: cache.size, bytes: cache.bytes },
      introspection: asking,
      revocation
    }
  }
  function close (): void {
    keys.close()
    cache?.close()
    introspection?.close()
  }
  return { keys, introspection, revoked, identification: createIdentification(verification, revoked, introspection), health, close }
}

/**
 * Protects a Fastify API with the access tokens of a Keycloak realm. Register it before the routes, with `await`.
 * A wrong option rejects with one sentence that names it.
 */
const keycloak = Object.assign(
  fp(plugin, { fastify: '5.x', name: 'fastify-keycloak-bearer' }),
  { openapi, bearerToken, redisStore }
)

export default keycloak
export { bearerToken, openapi, redisStore }
export type { RedisClient, RedisConnection, RedisStoreOptions } from './lib/revocation/redis-store.js'
export { KeycloakError, type KeycloakErrorCode } from './lib/errors.js'
export type { KeycloakReasonCode } from './lib/reasons/reason.js'
export type * from './types/declared.js'
export type * from './types/instance.js'
export type * from './types/openapi.js'
export type * from './types/options.js'
export type * from './types/request.js'
export type * from './types/revocation.js'
export type * from './types/rules.js'
export type * from './types/user.js'
export type * from './types/write-instead.js'
