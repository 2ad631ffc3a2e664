/**
 * The types that your application can narrow by declaration merging. Declare them once; each member is optional:
 *
 * ```ts
 * declare module 'fastify-keycloak-bearer' {
 *   interface KeycloakTypes {
 *     user: { id: string, email?: string }     // request.user, and the return value of syncUser
 *     profile: { id: string, email?: string }  // the result of claimMapping; request.user too, if `user` is not declared
 *     claims: { tenant: string }               // the claims that your mappers add to request.auth
 *     permission: 'read-profile' | 'edit'      // the roles that rules may name
 *     scope: 'read' | 'write'                  // the scopes that routes may ask for
 *     realmRole: 'admin' | 'support'           // the realm roles of { realmRole }
 *     client: 'web' | 'billing'                // the clients of { clientRole, client } and { authorizedParty }
 *     organization: 'acme' | 'globex'          // the aliases of { organization }
 *     issuer: 'acme' | 'globex'                // the names of the issuers
 *     acr: 'silver' | 'gold'                   // the levels of authentication
 *   }
 * }
 * ```
 */
export interface KeycloakTypes {}

/** A role: one of `KeycloakTypes['permission']` if declared, else any string. */
export type PermissionName = KeycloakTypes extends { permission: infer Declared extends string } ? Declared : string

/** A word of the `scope` claim: one of `KeycloakTypes['scope']` if declared, else any string. */
export type ScopeName = KeycloakTypes extends { scope: infer Declared extends string } ? Declared : string

/** A role of the realm: one of `KeycloakTypes['realmRole']` if declared, else any string. */
export type RealmRoleName = KeycloakTypes extends { realmRole: infer Declared extends string } ? Declared : string

/** The id of a client: one of `KeycloakTypes['client']` if declared, else any string. */
export type ClientName = KeycloakTypes extends { client: infer Declared extends string } ? Declared : string

/** The alias of an organization: one of `KeycloakTypes['organization']` if declared, else any string. */
export type OrganizationName = KeycloakTypes extends { organization: infer Declared extends string } ? Declared : string

/** The name of an issuer: one of `KeycloakTypes['issuer']` if declared, else any string. */
export type IssuerName = KeycloakTypes extends { issuer: infer Declared extends string } ? Declared : string

/** A level of authentication: one of `KeycloakTypes['acr']` if declared, else any string. */
export type AcrName = KeycloakTypes extends { acr: infer Declared extends string } ? Declared : string
