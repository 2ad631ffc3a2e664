import type { IssuerOptions } from 'fastify-keycloak-bearer'

/** A row of the table: a customer with a realm of its own, and this API's client there. */
export interface Tenant {
  name: string
  issuer: string
  clientId: string
}

/**
 * The table of tenants. It is in memory here; in your database `name` and `issuer` each have a unique index. Whoever may write
 * this table decides whose tokens the API accepts.
 */
export class TenantTable {
  readonly #rows = new Map<string, Tenant>()
  /** The number of queries so far: a test shows how few there are. */
  queries = 0

  async insert (tenant: Tenant): Promise<boolean> {
    const taken = [...this.#rows.values()].some(({ name, issuer }) => name === tenant.name || issuer === tenant.issuer)
    if (!taken) this.#rows.set(tenant.name, tenant)
    return !taken
  }

  /** DELETE … WHERE name = $1 RETURNING * */
  async delete (name: string): Promise<Tenant | null> {
    const row = this.#rows.get(name) ?? null
    this.#rows.delete(name)
    return row
  }

  /** SELECT … WHERE issuer = $1: the whole text is compared, nothing is cut out of it. */
  async byIssuer (iss: string): Promise<Tenant | null> {
    this.queries++
    return [...this.#rows.values()].find(({ issuer }) => issuer === iss) ?? null
  }
}

/** The function form of the option `issuers`: it is asked for a realm that the plugin does not know yet. */
export function realmsOf (tenants: TenantTable, staff: IssuerOptions) {
  return async (iss: string): Promise<IssuerOptions | null> => {
    if (iss === staff.issuer) return staff
    const tenant = await tenants.byIssuer(iss)
    return tenant && { name: tenant.name, issuer: tenant.issuer, clientId: tenant.clientId, audience: tenant.clientId }
  }
}
