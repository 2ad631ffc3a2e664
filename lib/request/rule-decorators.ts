import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuthenticationDemand } from '../../types/authentication.js'
import type { PermissionRule, SyncPermissionRule } from '../../types/rules.js'
import type { UmaGrant } from '../../types/uma.js'
import { hasAuthentication, hasPermission, isAllowed } from '../access/ask-rule.js'
import { readDemand } from '../access/authentication-rule.js'
import type { Caller } from '../access/caller.js'
import { umaPermissions } from '../access/uma-permissions.js'

const NONE: readonly never[] = Object.freeze([])

/**
 * Adds `request.hasPermission`, `request.isAllowed`, `request.hasAuthentication`, `request.umaPermissions` and `request.organizations`.
 * @param callerOf finds the caller of a request; `null` for an anonymous one
 */
export function decorateRules (fastify: FastifyInstance, callerOf: (request: FastifyRequest) => Caller | null): void {
  fastify.decorateRequest('hasPermission', function (this: FastifyRequest, rule: SyncPermissionRule): boolean {
    const caller = callerOf(this)
    return caller !== null && hasPermission(rule, caller)
  })
  fastify.decorateRequest('isAllowed', async function (this: FastifyRequest, rule: PermissionRule): Promise<boolean> {
    const caller = callerOf(this)
    return caller !== null && await isAllowed(rule, caller)
  })
  fastify.decorateRequest('hasAuthentication', function (this: FastifyRequest, demand: AuthenticationDemand): boolean {
    const rule = readDemand(demand, 'hasAuthentication')
    const caller = callerOf(this)
    return caller !== null && hasAuthentication(rule, caller)
  })
  fastify.decorateRequest('umaPermissions', async function (this: FastifyRequest, permissions?: readonly string[]): Promise<readonly UmaGrant[]> {
    const caller = callerOf(this)
    return caller === null ? NONE : umaPermissions(permissions, caller)
  })
  fastify.decorateRequest('organizations', { getter (this: FastifyRequest) { return callerOf(this)?.rights.organizations.list ?? NONE } })
}
