import type { AccessTokenClaims } from '../../types/user.js'
import type { Roles } from '../token/identity.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import { Groups } from './groups.js'
import { Organizations } from './organizations.js'
import { rolesIn } from './roles.js'

/** The rights that claims carry besides the roles at `permissionPath`, each read once, when a rule first asks. */
export class Rights {
  readonly #claims: JsonObject
  readonly #groupsIn: (claims: JsonObject) => unknown
  readonly #clientRoles = new Map<string, Roles>()
  #realmRoles: Roles | undefined
  #groups: Groups | undefined
  #organizations: Organizations | undefined

  constructor (claims: AccessTokenClaims, groupsIn: (claims: JsonObject) => unknown) {
    this.#claims = claims
    this.#groupsIn = groupsIn
  }

  get realmRoles (): Roles {
    return (this.#realmRoles ??= rolesIn(this.realmRoleList))
  }

  /** The value that should be the list of realm roles. */
  get realmRoleList (): unknown {
    return memberIn(member(this.#claims, 'realm_access'), 'roles')
  }

  clientRoles (client: string): Roles {
    let roles = this.#clientRoles.get(client)
    if (roles !== undefined) return roles
    roles = rolesIn(this.clientRoleList(client))
    // Clients that the token does not name are not kept, so that there are no more clients here than in the token.
    if (Array.isArray(this.clientRoleList(client))) this.#clientRoles.set(client, roles)
    return roles
  }

  /** The value that should be the list of a client's roles. */
  clientRoleList (client: string): unknown {
    return memberIn(memberIn(member(this.#claims, 'resource_access'), client), 'roles')
  }

  get groups (): Groups {
    return (this.#groups ??= new Groups(this.#groupsIn(this.#claims)))
  }

  get organizations (): Organizations {
    return (this.#organizations ??= new Organizations(member(this.#claims, 'organization')))
  }
}

function memberIn (value: unknown, name: string): unknown {
  return isObject(value) ? member(value, name) : undefined
}
