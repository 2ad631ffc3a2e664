import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { recordOf } from './lib/access/added-routes.js'
import { warnOfEarlierRoutes } from './lib/access/earlier-routes.js'
import { warnOfMiddleware } from './lib/access/middleware.js'
import { Routes } from './lib/access/route-registry.js'
import { warnOfUnguardedRoutes } from './lib/access/unguarded-routes.js'
import { warnOfUnknownRules } from './lib/access/unknown-rules.js'
import { startLog } from './lib/diagnostics/start-log.js'
import { Closing } from './lib/keycloak/closing.js'
import { SignaturePool } from './lib/keys/signature-pool.js'
import { openapi } from './lib/openapi/transform.js'
import { parseOptions, usesTokens } from './lib/options/options.js'
import { Caches } from './lib/realm/caches.js'
import { openRealms } from './lib/realm/open-realms.js'
import { Authentication } from './lib/request/authenticate.js'
import { createOnError } from './lib/request/challenge.js'
import { startUnlessClosed } from './lib/request/close-during-start.js'
import { bearerToken } from './lib/request/credentials.js'
import { challengesBy } from './lib/request/challenge-context.js'
import { decorate, refuseTakenDecorators } from './lib/request/decorators.js'
import { tokenExtractor, warnOfLateSetters } from './lib/request/extract-token.js'
import { McpRoutes } from './lib/request/mcp-routes.js'
import { openProofs } from './lib/request/open-proofs.js'
import { openResource } from './lib/request/open-resource.js'
import { presentedBy } from './lib/request/presented-token.js'
import { Refusals } from './lib/request/refusals.js'
import { severalBy } from './lib/request/several-issuers.js'
import { createThrownRefusals } from './lib/request/thrown-refusals.js'
import { toUserBy } from './lib/request/user.js'
import { redisReplayStore } from './lib/proof/redis-replay-store.js'
import { redisStore } from './lib/revocation/redis-store.js'
import { confirmationRulesOf } from './lib/options/confirmation-rules.js'
import './types/fastify.js'
import type { KeycloakOptions, SeveralIssuersOptions } from './types/options.js'

async function plugin (fastify: FastifyInstance, options: SeveralIssuersOptions | KeycloakOptions): Promise<void> {
  const parsed = parseOptions(options)
  const settings = parsed.plugin
  const { requireAuthentication } = settings
  refuseTakenDecorators(fastify)
  const log = startLog(fastify.log)
  const earlier = warnOfEarlierRoutes(fastify, log)
  const lateWarnings = [requireAuthentication ? warnOfMiddleware(fastify, log) : undefined, settings.extractToken && warnOfLateSetters(fastify, log)]

  const [closing, caches] = [new Closing(), new Caches(settings.cache)]
  const shared = { limits: settings.limits, ...caches, confirmation: confirmationRulesOf(settings), pool: settings.verifyInThreadPool ? new SignaturePool() : undefined, closing, presentedBy, createToUser: toUserBy(settings.syncUser), log: fastify.log, startLog: log, isOfSeveral: parsed.issuers.form !== 'one' }
  const { directory, authority } = await openRealms(parsed, shared)
  const routes = new Routes(requireAuthentication, earlier.onLate, directory.known, shared.confirmation)
  const possession = await openProofs(fastify, settings, shared, log)
  const resource = await openResource(parsed, routes)
  const refusals = new Refusals(authority, directory, fastify.log)
  const mcp = new McpRoutes({ routes, refusals, directory, resource: resource?.url, log })
  const authentication = new Authentication({ routes, extractToken: settings.extractToken && tokenExtractor(fastify, settings.extractToken), authority, several: severalBy(authority, directory, settings.selectIssuer), possession, refusals, closing, keepsTokens: usesTokens(parsed.issuers) })

  decorate(fastify, authority, directory, routes, caches.tokens, possession, refusals, resource)
  fastify.addHook('preClose', async () => closing.begin())
  fastify.addHook('onClose', async () => {
    closing.finish()
    caches.close()
    await Promise.all([directory.close(), possession?.close()])
  })
  fastify.addHook('onRoute', (route) => mcp.add(route, routes.add(route)))
  fastify.addHook('onReady', async () => {
    routes.settle()
    warnOfUnguardedRoutes(recordOf(fastify), log)
    for (const warn of lateWarnings) warn?.()
    warnOfUnknownRules([...earlier.all(), ...routes.added()], requireAuthentication, log)
    resource?.addEarlier(earlier.all())
    await mcp.load()
  })
  fastify.addHook('onRequest', authentication.onRequest)
  fastify.addHook('onError', createOnError(challengesBy(authority, routes, possession, resource), createThrownRefusals(refusals)))
  resource?.serve(fastify, log)
  await startUnlessClosed(fastify, closing, () => directory.start(fastify))
}

/**
 * Protects a Fastify API with the access tokens of a Keycloak realm. Register it before the routes, with `await`.
 * A wrong option rejects with one sentence that names it.
 */
const keycloak = Object.assign(
  fp(plugin, { fastify: '5.x', name: 'fastify-keycloak-bearer' }),
  { openapi, bearerToken, redisStore, redisReplayStore }
)

export default keycloak
export { bearerToken, openapi, redisReplayStore, redisStore }
export type { RedisReplayClient, RedisReplayStoreOptions } from './lib/proof/redis-replay-store.js'
export type { RedisClient, RedisConnection, RedisStoreOptions } from './lib/revocation/redis-store.js'
export { insufficientUserAuthentication } from './lib/access/insufficient-user-authentication.js'
export { KeycloakError, type KeycloakErrorCode } from './lib/errors.js'
export type { KeycloakReasonCode } from './lib/reasons/reason.js'
export type * from './types/authentication.js'
export type * from './types/claim-rules.js'
export type * from './types/declared.js'
export type * from './types/client-authentication.js'
export type * from './types/dpop.js'
export type * from './types/events.js'
export type * from './types/instance.js'
export type * from './types/mcp.js'
export type * from './types/mtls.js'
export type * from './types/openapi.js'
export type * from './types/options.js'
export type * from './types/outbound.js'
export type * from './types/request.js'
export type * from './types/resource.js'
export type * from './types/revocation.js'
export type * from './types/route-config.js'
export type * from './types/rules.js'
export type * from './types/uma.js'
export type * from './types/user.js'
export type * from './types/write-instead.js'
