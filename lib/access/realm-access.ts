import type { KeycloakOptions } from '../../types/options.js'
import type { AccessTokenClaims } from '../../types/user.js'
import type { ClaimPath } from '../util/claim-path.js'
import { claimAt } from '../util/claim-path.js'
import type { JsonObject } from '../util/strict-json.js'
import { type AcrLevels, createLevelCheck, type LevelCheck } from './authentication-levels.js'
import { Rights } from './rights.js'
import { rolesAt, type RolesOf } from './roles.js'
import { createScopeCheck, type ScopeCheck, type ScopeImplications } from './scopes.js'
import type { UmaDecider } from './uma/decider.js'

export interface RealmAccessOptions {
  permissionPath: NonNullable<KeycloakOptions['permissionPath']>
  groupsClaim: ClaimPath
  scopeImplies?: ScopeImplications | undefined
  acrLevels?: AcrLevels | undefined
  /** The clock skew that dates may have, in seconds. */
  leeway: number
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
}

/** The places of a realm's roles, groups, organizations and scopes in the claims. */
export class RealmAccess {
  readonly options: RealmAccessOptions
  readonly rolesOf: RolesOf
  /** Does an identity keep its roles? Not if `permissionPath` is a function, which is asked at each request. */
  readonly keepsRoles: boolean
  readonly hasScopes: ScopeCheck
  readonly isLevel: LevelCheck
  /** `undefined` without the option `uma`. */
  readonly uma: UmaDecider | undefined
  readonly #groupsIn: (claims: JsonObject) => unknown
  /** By claims, which are frozen: all requests with one kept token share them. */
  readonly #rights = new WeakMap<AccessTokenClaims, Rights>()

  constructor (options: RealmAccessOptions, uma?: UmaDecider) {
    this.options = options
    this.uma = uma
    this.rolesOf = rolesAt(options.permissionPath)
    this.keepsRoles = typeof options.permissionPath !== 'function'
    this.hasScopes = createScopeCheck(options.scopeImplies)
    this.isLevel = createLevelCheck(options.acrLevels)
    this.#groupsIn = claimAt(options.groupsClaim)
  }

  rightsOf (claims: AccessTokenClaims): Rights {
    let rights = this.#rights.get(claims)
    if (rights === undefined) this.#rights.set(claims, rights = new Rights(claims, this.#groupsIn))
    return rights
  }
}
