import type { FastifyInstance } from 'fastify'
import type { KnownRealms } from '../access/known-realms.js'
import { checkKeycloak } from '../doctor/start-check.js'
import { notValid } from '../errors.js'
import type { Revocations } from '../revocation/revocations.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { RealmDirectory } from './directory.js'
import type { Presentation } from './identification.js'
import type { Realm } from './realm.js'

/** The realms of `issuer` or of a list `issuers`, which are open from start to close. */
export class ListedRealms implements RealmDirectory {
  readonly names: ReadonlySet<string>
  readonly known: KnownRealms
  readonly isOfSeveral: boolean
  readonly #byIssuer: ReadonlyMap<string, Realm>
  readonly #byName: ReadonlyMap<string, Realm>
  readonly #revocations: Pick<Revocations, 'start'> | undefined

  /**
   * @param realms of which no two have one issuer or one name
   * @param isOfSeveral is the option `issuers` given?
   * @param revocations adds the routes that Keycloak calls; `undefined` if logouts are not received
   */
  constructor (realms: readonly Realm[], isOfSeveral: boolean, revocations: Pick<Revocations, 'start'> | undefined) {
    this.#revocations = revocations
    this.isOfSeveral = isOfSeveral
    this.#byIssuer = new Map(realms.map((realm) => [realm.issuer, realm]))
    this.#byName = new Map(realms.map((realm) => [realm.name, realm]))
    this.names = new Set(this.#byName.keys())
    this.known = new Map(realms.map(({ name, access }) => [name, { levels: access.options.acrLevels, decides: access.uma !== undefined }]))
  }

  byIssuer (iss: string): Realm {
    const realm = this.#byIssuer.get(iss)
    if (realm === undefined) throw notValid('issuer_unknown')
    return realm
  }

  all (): Iterable<Realm> {
    return this.#byName.values()
  }

  isOpen (): true {
    return true
  }

  isProven (): true {
    return true
  }

  identify (realm: Realm, credentials: Credentials, presentation?: Presentation): MaybePromise<Identity> {
    return realm.identify(credentials, presentation)
  }

  forget (): never {
    throw new Error('forgetIssuer() needs a function as the option issuers; a list of issuers does not change while the API runs')
  }

  async start (fastify: FastifyInstance): Promise<void> {
    await this.#revocations?.start(fastify)
    const realms = [...this.all()]
    await checkKeycloak(fastify, realms.map(({ check }) => check))
    await Promise.all(realms.map((realm) => realm.start()))
  }

  async close (): Promise<void> {
    await Promise.all(Array.from(this.all(), (realm) => realm.close()))
  }
}
