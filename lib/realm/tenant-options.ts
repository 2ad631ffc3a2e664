import type { FastifyInstance } from 'fastify'
import type { TenantFunctionOptions, TenantSettings } from './tenant-function.js'
import type { TenantRealm } from './tenant.js'

/** The parts of tenants that are made elsewhere, and the bounds of the user. */
export interface TenantsOptions<R extends TenantRealm, Settings extends TenantSettings> extends Omit<TenantFunctionOptions<Settings>, 'timeout'> {
  maxIssuers: number
  /**
   * Opens a realm.
   * @throws {Error} if a part that the options require cannot be had
   */
  open: (settings: Settings) => Promise<R>
  /** Adds the routes that Keycloak calls. */
  onStart?: (fastify: FastifyInstance) => Promise<void>
  /** Milliseconds for one call of the function. */
  timeout?: number
}
