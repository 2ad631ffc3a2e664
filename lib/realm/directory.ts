import type { FastifyInstance } from 'fastify'
import type { KnownRealms } from '../access/known-realms.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { Presentation } from './identification.js'
import type { Realm } from './realm.js'

/** The realms of the plugin: one, a list of them, or tenants that come and go. */
export interface RealmDirectory {
  /** Is the option `issuers` given? */
  readonly isOfSeveral: boolean
  /** The names of all realms; `undefined` if a function decides, so that nobody knows them at start. */
  readonly names: ReadonlySet<string> | undefined
  /** The same with the levels of authentication of each. */
  readonly known: KnownRealms | undefined
  /**
   * The realm of an issuer. Nobody has verified that the token is from there.
   * @throws {KeycloakError} token_not_valid if it is none of the plugin's; keycloak_unavailable
   */
  byIssuer (iss: string): MaybePromise<Realm>
  /** The realms that are open now, in a fixed order. */
  all (): Iterable<Realm>
  /** Does a realm still decide on tokens? Not if it was closed meanwhile. */
  isOpen (realm: Realm): boolean
  /** Has the realm shown that it has users? Anybody can name a tenant, so that its realm is opened. */
  isProven (realm: Realm): boolean
  /** `realm.identify`, during which the realm stays open. */
  identify (realm: Realm, credentials: Credentials, presentation?: Presentation): MaybePromise<Identity>
  /**
   * Forget what the function said about an issuer.
   * @throws {Error} if the realms are a list
   */
  forget (issuer: string): void
  /**
   * Adds the routes that Keycloak calls.
   * @throws {Error} if a part that the options require cannot be had
   */
  start (fastify: FastifyInstance): Promise<void>
  close (): Promise<void>
}
