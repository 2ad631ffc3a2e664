/**
 * What you can narrow by declaration merging. Declare it once in your application; each member is optional:
 *
 * ```ts
 * declare module 'fastify-keycloak-bearer' {
 *   interface KeycloakTypes {
 *     user: { id: string, email?: string }     // what request.user is; what syncUser returns
 *     profile: { id: string, email?: string }  // what claimMapping makes; request.user too, without `user`
 *     claims: { tenant: string }               // what your mappers add to request.auth
 *     permission: 'read-profile' | 'edit'      // the roles that rules may name
 *     scope: 'read' | 'write'                  // the scopes that routes may ask for
 *   }
 * }
 * ```
 */
export interface KeycloakTypes {}

/** A role: one of `KeycloakTypes['permission']` where you declared them, else any string. */
export type PermissionName = KeycloakTypes extends { permission: infer Declared extends string } ? Declared : string

/** A word of the `scope` claim: one of `KeycloakTypes['scope']` where you declared them, else any string. */
export type ScopeName = KeycloakTypes extends { scope: infer Declared extends string } ? Declared : string
