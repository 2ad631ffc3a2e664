import type { FastifyRequest } from 'fastify'
import type { UmaGrant } from '../../../types/uma.js'
import type { Identity } from '../../token/identity.js'
import type { UmaPermission } from './permission.js'

/** The reasons of Keycloak's Authorization Services, and of this API for them, not to let a caller do something. */
export type UmaRefusal = 'uma_denied' | 'uma_lightweight' | 'uma_dpop_bound' | 'uma_parameter_unfit' | 'uma_resource_unknown' | 'uma_scope_unknown' | 'uma_name_foreign' | 'uma_off'

/** Asks the Authorization Services of one realm about the caller of a request. */
export interface UmaDecider {
  /**
   * @returns `undefined` if the caller may
   * @throws {KeycloakError} keycloak_unavailable; token_not_valid, token_expired if the token has ended meanwhile
   */
  decide (request: FastifyRequest, identity: Identity, permission: UmaPermission): Promise<UmaRefusal | undefined>
  /**
   * The permissions that the caller has of those that are asked for, in one call.
   * @param permissions `undefined`: of all
   * @throws {KeycloakError} as `decide`
   */
  list (request: FastifyRequest, identity: Identity, permissions: readonly UmaPermission[] | undefined): Promise<readonly UmaGrant[]>
}
