import type { FastifyInstance } from 'fastify'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { notValid, unavailable } from '../errors.js'
import { andThen, type MaybePromise } from '../util/maybe-promise.js'
import type { Presentation } from './identification.js'
import { causeOf, TenantFunction, type TenantSettings } from './tenant-function.js'
import { TenantHistory } from './tenant-history.js'
import { isTenantIssuer } from './tenant-issuer.js'
import type { TenantsOptions } from './tenant-options.js'
import { TenantQueue } from './tenant-queue.js'
import { TenantRealms } from './tenant-realms.js'
import { TenantRefusals } from './tenant-refusals.js'
import type { Tenant, TenantRealm } from './tenant.js'

/** Milliseconds for one call of the function. */
const TIMEOUT = 5000

/** The realms that the function `issuers` gives, for tenants that come and go. */
export class Tenants<R extends TenantRealm, Settings extends TenantSettings> {
  readonly isOfSeveral = true
  /** Nobody knows the names of tenants at start. */
  readonly names = undefined
  readonly known = undefined
  readonly #options: TenantsOptions<R, Settings>
  readonly #function: TenantFunction<Settings>
  readonly #queue: TenantQueue<R>
  readonly #realms: TenantRealms<R>
  readonly #refusals = new TenantRefusals()
  readonly #history = new TenantHistory()
  /** The issuers that the function is asked about, as long as nobody wants their answers forgotten. */
  readonly #asking = new Set<string>()
  /** The names of realms that are being opened, and their issuers. */
  readonly #opening = new Map<string, string>()

  constructor (options: TenantsOptions<R, Settings>) {
    this.#options = options
    this.#function = new TenantFunction({ timeout: TIMEOUT, ...options })
    this.#queue = new TenantQueue((iss) => this.#find(iss), options.closing)
    this.#realms = new TenantRealms(options.maxIssuers)
  }

  /**
   * The realm of an issuer, about which the function is asked if the realm is not open.
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  byIssuer (iss: string): MaybePromise<R> {
    const open = this.#realms.byIssuer(iss)
    if (open !== undefined) return open.realm
    if (!isTenantIssuer(iss)) throw notValid('issuer_unknown')
    if (this.#options.closing.over) throw unavailable('api_closed', 'local')
    this.#refusals.check(iss)
    return this.#queue.enter(iss, this.#history.has(iss)).then(({ realm }) => realm)
  }

  /** A realm that is open now. */
  byName (name: string): R | undefined {
    return this.#realms.byName(name)?.realm
  }

  /** The realms that are open now. */
  all (): Iterable<R> {
    return this.#realms.all()
  }

  /** Does the realm of a kept token still decide? If so, the token counts as a use of it. */
  isOpen (realm: TenantRealm): boolean {
    const tenant = this.#realms.byRealm(realm)
    if (tenant === undefined) return false
    this.#used(tenant)
    return true
  }

  /** Has the realm accepted a token? */
  isProven (realm: TenantRealm): boolean {
    return this.#realms.byRealm(realm)?.isProven === true
  }

  /** `realm.identify`, during which the realm stays open. A realm that has ended meanwhile is asked for again. */
  identify (realm: R, credentials: Credentials, presentation?: Presentation): MaybePromise<Identity> {
    const tenant = this.#realms.byRealm(realm)
    if (tenant === undefined) return andThen(this.byIssuer(realm.issuer), (again) => this.identify(again, credentials, presentation))
    tenant.uses++
    let identity: MaybePromise<Identity>
    try {
      identity = realm.identify(credentials, presentation)
    } catch (error) {
      this.#realms.release(tenant)
      throw error
    }
    if (identity instanceof Promise) return identity.then((late) => this.#accept(tenant, late)).finally(() => this.#realms.release(tenant))
    this.#accept(tenant, identity)
    this.#realms.release(tenant)
    return identity
  }

  /** What the function said about an issuer counts no more: its realm ends, and its next token asks the function. */
  forget (iss: string): void {
    if (!isTenantIssuer(iss)) throw new TypeError('forgetIssuer() needs the issuer as tokens have it in iss, such as "https://sso.example.com/realms/acme", not a name or another form of the URL')
    this.#asking.delete(iss)
    this.#function.forget(iss)
    this.#refusals.forget(iss)
    this.#realms.forget(iss)
  }

  /** No realm is open at start. */
  async start (fastify: FastifyInstance): Promise<void> {
    await this.#options.onStart?.(fastify)
  }

  /** Ends all realms, and all that waits. */
  async close (): Promise<void> {
    this.#queue.close()
    await this.#realms.close()
  }

  #accept (tenant: Tenant<R>, identity: Identity): Identity {
    this.#used(tenant)
    return identity
  }

  #used (tenant: Tenant<R>): void {
    if (this.#realms.used(tenant)) this.#history.add(tenant.realm.issuer, tenant.realm.name)
  }

  /** The tenant of an issuer, by an answer that nobody wanted forgotten while it was on its way. */
  async #find (iss: string): Promise<Tenant<R>> {
    this.#asking.add(iss)
    const [found] = await Promise.allSettled([this.#ask(iss)])
    if (!this.#asking.delete(iss)) {
      this.forget(iss)
      return this.#find(iss)
    }
    if (found.status === 'rejected') throw found.reason
    return found.value
  }

  /** Asks the function about an issuer, and opens its realm. */
  async #ask (iss: string): Promise<Tenant<R>> {
    try {
      const settings = await this.#function.ask(iss)
      if (settings !== null) return await this.#add(settings)
    } catch (error) {
      this.#refusals.failed(iss)
      throw error
    }
    this.#unknown(iss)
    throw notValid('issuer_unknown')
  }

  /** The function returned null. */
  #unknown (iss: string): void {
    this.#refusals.unknown(iss)
    this.#history.forget(iss)
    this.#realms.forget(iss)
  }

  async #add (settings: Settings): Promise<Tenant<R>> {
    await this.#claimName(settings)
    const realm = await this.#open(settings).finally(() => this.#opening.delete(settings.name))
    const tenant = this.#realms.add(realm)
    // The requests that wait for the realm ask it in this turn of the event loop: until then it counts as in use.
    setImmediate(() => this.#realms.opened(tenant))
    return tenant
  }

  async #open (settings: Settings): Promise<R> {
    const { open, closing } = this.#options
    const realm = await open(settings).catch((error) => { throw this.#function.failed(`the realm of an entry of the function issuers cannot be opened: ${causeOf(error)}`, settings.issuer) })
    if (!closing.over) return realm
    await realm.close()
    throw unavailable('api_closed', 'local')
  }

  /**
   * Of two issuers with one name, the first one keeps it as long as the function gives it that name: a tenant that has moved to
   * another issuer, or has ended, gives its name up.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async #claimName ({ issuer, name }: TenantSettings): Promise<void> {
    const holder = this.#opening.get(name) ?? this.#realms.byName(name)?.realm.issuer ?? this.#history.issuerOf(name)
    if (holder === undefined || holder === issuer) {
      this.#opening.set(name, issuer)
      return
    }
    const other = this.#opening.has(name) ? { name } : await this.#function.ask(holder)
    if (other?.name === name) throw this.#function.failed('the function issuers returned entries of two issuers with one name: give each entry a name of its own', issuer)
    if (other === null) this.#unknown(holder)
    this.#history.release(name)
    this.#realms.forget(holder)
    return this.#claimName({ issuer, name })
  }
}
