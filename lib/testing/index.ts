/**
 * `fastify-keycloak-bearer/testing`: a realm like Keycloak's, in the process of your tests.
 *
 * ```ts
 * const realm = await createTestRealm({ app })
 * await app.register(keycloak, { ...realm.options })
 * const reply = await realm.inject(app, { as: { username: 'bob', roles: ['read-profile'] }, url: '/profile' })
 * ```
 * @module
 */
export { createTestRealm } from './create-test-realm.js'
export type { TestRealm } from './realm.js'
export type { TestRealmOptions } from './realm-options.js'
export type { DpopClient, DpopClientOptions, DpopProofRequest } from './dpop-client.js'
export type { LoginOptions, LoginScope, LoginUser, RegistrationOptions } from './login/options.js'
export type { TestServices } from './services/index.js'
export type { PendingServiceCall, ServiceCall, ServiceClient, ServiceRefusal, ServiceRules, ServiceScope, UmaResource } from './services/rules.js'
export type { TokenKind, TokenOrganization, TokenSpec } from './token-spec.js'
export type { AuthorizationHeader, InjectableApp, InjectAsOptions } from './inject.js'
export type { JwsHeader } from './jws.js'
export type { Endpoint, Handler, RecordedRequest } from './server.js'
