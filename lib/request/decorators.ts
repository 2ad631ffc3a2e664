import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Caller } from '../access/caller.js'
import type { Routes } from '../access/route-registry.js'
import { ServiceConnections } from '../outbound/service-connections.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import type { Realm } from '../realm/realm.js'
import { createIdentityBy } from '../token/identity.js'
import type { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'
import { hasMember } from '../util/members.js'
import { type AcceptedRequest, AuthSignals } from './auth-signals.js'
import { createInstance } from './instance.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import type { ProtectedResource } from './protected-resource.js'
import type { Refusals } from './refusals.js'
import { decorateRules } from './rule-decorators.js'
import { createServiceCalls } from './service-calls.js'
import { pickedRealm, REALM } from './several-issuers.js'

/**
 * Refuse at start another plugin that decorates the same members of a request.
 * @throws {Error} with the member, and the way to rename the other plugin's
 */
export function refuseTakenDecorators (fastify: FastifyInstance): void {
  if (hasMember(fastify, 'keycloak')) {
    throw new Error('fastify-keycloak-bearer is registered in this scope already; for a second realm register it in a sibling scope')
  }
  const isDecorated = (name: string): boolean => fastify.hasRequestDecorator(name) && !(name in Object.prototype)
  if (isDecorated('user')) {
    throw new Error('fastify-keycloak-bearer: request.user is decorated by another plugin already; when it is @fastify/jwt, give that one the option decoratorName, such as "jwtUser"; when it is @fastify/passport, give its Authenticator the option userProperty, such as "sessionUser"')
  }
  for (const [one, other] of [['auth', 'hasPermission'], ['isAllowed', 'organizations']] as const) {
    if (isDecorated(one) || isDecorated(other)) throw new Error(`fastify-keycloak-bearer: request.${one} or request.${other} is decorated by another plugin already; register the two in sibling scopes`)
  }
  for (const name of ['issuer', 'hasAuthentication', 'authSignal', 'umaPermissions']) {
    if (isDecorated(name)) throw new Error(`fastify-keycloak-bearer: request.${name} is decorated by another plugin already; register the two in sibling scopes`)
  }
}

/** Adds the members of requests, and `fastify.keycloak`. */
export function decorate (fastify: FastifyInstance, authority: Authority, directory: RealmDirectory, routes: Routes, tokens: TokenCache<VerifiedToken> | undefined, possession: ProofOfPossession | undefined, refusals: Refusals, resource: ProtectedResource | undefined): void {
  const identityBy = createIdentityBy()
  const { only } = authority
  /** The realm that verified the token of a request. `auth` is undefined in a scope that was loaded before the plugin. */
  const realmOf = (request: FastifyRequest): Realm | null => request.auth == null ? null : only ?? pickedRealm(request) ?? null
  if (only === undefined) fastify.decorateRequest(REALM, null)
  fastify.decorateRequest('user', null)
  fastify.decorateRequest('auth', null)
  fastify.decorateRequest('issuer', { getter (this: FastifyRequest) { return realmOf(this)?.name ?? null } })
  decorateAuthSignal(fastify, directory)
  decorateRules(fastify, (request) => {
    const realm = realmOf(request)
    return realm && new Caller(realm.access, identityBy(request.auth!, realm), request)
  })
  const connections = new ServiceConnections()
  fastify.addHook('onClose', () => connections.close())
  fastify.decorate('keycloak', { ...createInstance(authority, directory, routes, tokens, possession, refusals, resource), ...createServiceCalls(authority, directory, connections) })
}

function decorateAuthSignal (fastify: FastifyInstance, directory: RealmDirectory): void {
  const signals = new AuthSignals(directory)
  fastify.decorateRequest('authSignal', { getter (this: AcceptedRequest) { return signals.signalOf(this) } })
  fastify.addHook('onClose', async () => signals.close())
}
