import type { FastifyRequest } from 'fastify'
import type { UmaGrant } from '../../types/uma.js'
import type { Claims } from '../../types/user.js'
import type { Identity, Roles } from '../token/identity.js'
import type { JsonObject } from '../util/strict-json.js'
import type { RealmAccess } from './realm-access.js'
import type { Rights } from './rights.js'
import type { UmaRefusal } from './uma/decider.js'
import type { UmaPermission } from './uma/permission.js'

/** The caller as a rule sees it: the identity, and the realm that says where its rights are. */
export class Caller {
  readonly realm: RealmAccess
  readonly request: FastifyRequest
  /** The refusals of Keycloak's Authorization Services, by the rule in words; `undefined` while there are none. */
  umaRefusals: Map<string, UmaRefusal> | undefined
  /** Is the decision made, and only its reason asked for? Then nobody is asked again. */
  isDecided = false
  readonly #identity: Identity

  constructor (realm: RealmAccess, identity: Identity, request: FastifyRequest) {
    this.realm = realm
    this.request = request
    this.#identity = identity
  }

  /** The name of the issuer of the token. */
  get issuer (): string {
    return this.#identity.owner.name
  }

  get claims (): Claims {
    return this.#identity.claims as Claims
  }

  /** The roles at `permissionPath`. */
  get roles (): Roles {
    return this.realm.rolesOf(this.#identity)
  }

  get rights (): Rights {
    return this.realm.rightsOf(this.#identity.claims)
  }

  /** @returns the reason of Keycloak's Authorization Services to refuse; `undefined` if the caller has the permission */
  async decide (permission: UmaPermission): Promise<UmaRefusal | undefined> {
    const { uma } = this.realm
    return uma === undefined ? 'uma_off' : uma.decide(this.request, this.#identity, permission)
  }

  /** @param permissions `undefined`: all */
  async umaPermissions (permissions: readonly UmaPermission[] | undefined): Promise<readonly UmaGrant[]> {
    const { uma } = this.realm
    if (uma === undefined) throw new TypeError(`umaPermissions needs the option uma of the issuer ${JSON.stringify(this.issuer)}`)
    return uma.list(this.request, this.#identity, permissions)
  }

  hasScopes (words: readonly string[]): boolean {
    return this.realm.hasScopes(this.#identity.claims as JsonObject, words)
  }
}
