import { Tenant, type TenantRealm } from './tenant.js'

/** The realms beyond `max` that have accepted no token. At the most half as many are opened at once (tenant-queue.ts). */
const UNPROVEN = 32

/**
 * The open realms of tenants: up to `max` that have accepted a token, of which the least recently used one ends for a new one.
 * Anybody can write the `iss` of a tenant into a token, but only the tenant can sign it: so a realm that has accepted no
 * token takes the place of no other. Such realms have the places that are free, and 32 more; beyond that one of them ends.
 */
export class TenantRealms<R extends TenantRealm> {
  readonly #max: number
  readonly #byIssuer = new Map<string, Tenant<R>>()
  readonly #byName = new Map<string, Tenant<R>>()
  readonly #byRealm = new Map<TenantRealm, Tenant<R>>()
  readonly #unproven = new Set<Tenant<R>>()
  /** All that are not closed, also those that have ended and are still in use. */
  readonly #open = new Set<Tenant<R>>()
  readonly #closing = new Set<Promise<void>>()
  #turn = 0

  constructor (max: number) {
    this.#max = max
  }

  /** The realms that have not ended, in the order in which they were opened. */
  all (): Iterable<R> {
    return Array.from(this.#byRealm.values(), ({ realm }) => realm)
  }

  byIssuer (issuer: string): Tenant<R> | undefined {
    return this.#byIssuer.get(issuer)
  }

  byName (name: string): Tenant<R> | undefined {
    return this.#byName.get(name)
  }

  byRealm (realm: TenantRealm): Tenant<R> | undefined {
    return this.#byRealm.get(realm)
  }

  /** A realm was opened, and is in use. */
  add (realm: R): Tenant<R> {
    const tenant = new Tenant(realm)
    this.#index(tenant)
    this.#unproven.add(tenant)
    this.#open.add(tenant)
    this.#limit()
    return tenant
  }

  /** The requests that waited for a new realm ask it now, unless something else refused them. */
  opened (tenant: Tenant<R>): void {
    if (tenant.uses === 1) this.release(tenant)
    else tenant.uses--
  }

  /** A request has been answered by the tenant. */
  release (tenant: Tenant<R>): void {
    tenant.settle()
    if (--tenant.uses > 0) return
    if (tenant.isEnded) this.#close(tenant)
    else this.#limit()
  }

  /**
   * A token of the tenant was accepted.
   * @returns whether it was the first one of an open realm
   */
  used (tenant: Tenant<R>): boolean {
    tenant.usedAt = ++this.#turn
    if (tenant.isProven || (tenant.isEnded && !this.#return(tenant))) return false
    tenant.isProven = true
    this.#unproven.delete(tenant)
    this.#limit()
    return true
  }

  /** No further request is identified by the tenant. It closes when those under way are answered. */
  end (tenant: Tenant<R>): void {
    tenant.isEnded = true
    this.#byIssuer.delete(tenant.realm.issuer)
    this.#byName.delete(tenant.realm.name)
    this.#byRealm.delete(tenant.realm)
    this.#unproven.delete(tenant)
    if (tenant.uses === 0) this.#close(tenant)
  }

  /** The realm of an issuer ends, and one that has ended already does not return. */
  forget (issuer: string): void {
    for (const tenant of this.#open) {
      if (tenant.realm.issuer !== issuer) continue
      tenant.mayReturn = false
      if (!tenant.isEnded) this.end(tenant)
    }
  }

  /** Ends and closes all, whether they are in use or not. */
  async close (): Promise<void> {
    for (const tenant of this.#open) {
      this.end(tenant)
      this.#close(tenant)
    }
    await Promise.all(this.#closing)
  }

  #limit (): void {
    if (this.#byRealm.size <= this.#max) return
    if (this.#byRealm.size - this.#unproven.size > this.#max) this.end(this.#leastRecentlyUsed())
    if (this.#unproven.size > UNPROVEN) this.#endUnproven()
  }

  /** The oldest one that is not in use. If all are in use, the oldest one, which may turn out to have users after all. */
  #endUnproven (): void {
    const unproven = [...this.#unproven]
    const tenant = unproven.find(({ uses }) => uses === 0) ?? unproven[0]!
    this.end(tenant)
    tenant.mayReturn = true
  }

  /** A realm that had to end before it could accept its first token is open again, unless there is another one by now. */
  #return (tenant: Tenant<R>): boolean {
    const { issuer, name } = tenant.realm
    if (!tenant.mayReturn || !this.#open.has(tenant) || this.#byIssuer.has(issuer) || this.#byName.has(name)) return false
    tenant.isEnded = false
    this.#index(tenant)
    return true
  }

  #index (tenant: Tenant<R>): void {
    this.#byIssuer.set(tenant.realm.issuer, tenant)
    this.#byName.set(tenant.realm.name, tenant)
    this.#byRealm.set(tenant.realm, tenant)
  }

  /** A search among all, because it is made when a tenant takes the place of another, while a mark is made for each request. */
  #leastRecentlyUsed (): Tenant<R> {
    return Array.from(this.#byRealm.values()).filter(({ isProven }) => isProven).reduce((least, each) => each.usedAt < least.usedAt ? each : least)
  }

  #close (tenant: Tenant<R>): void {
    if (!this.#open.delete(tenant)) return
    // The realm has ended whether or not its connections could be closed in order.
    const closing = tenant.realm.close().catch(() => {}).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
