import type { ClientName, OrganizationName, RealmRoleName, ScopeName } from './declared.js'
import type { OneOf, WriteInstead } from './write-instead.js'

/** The members of all rules that are objects. */
export type RuleMember = 'any' | 'all' | 'realmRole' | 'clientRole' | 'client' | 'group' | 'organization' | 'role' | 'authorizedParty' | 'scope' | 'uma'

/** The members that a rule may not have, because an object is one rule. */
export type WithoutMembers<Other extends RuleMember> = {
  readonly [Key in Other]?: WriteInstead<'one rule in an object'>
}

/** A role of the realm, in the claim `realm_access`: `{ realmRole: 'admin' }`. */
export interface RealmRoleRule extends WithoutMembers<Exclude<RuleMember, 'realmRole'>> {
  /** The name of the role: `'admin'`. */
  readonly realmRole: RealmRoleName | OneOf<RealmRoleName>
}

/** A role of a client, in the claim `resource_access`: `{ clientRole: 'reader', client: 'billing' }`. */
export interface ClientRoleRule extends WithoutMembers<Exclude<RuleMember, 'clientRole' | 'client'>> {
  /** The name of the role: `'reader'`. */
  readonly clientRole: string
  /** The id of the client that has the role. */
  readonly client: ClientName | OneOf<ClientName>
}

/**
 * A group, in the claim that the option `groupsClaim` names: `{ group: '/staff/it' }`, and with all groups below it:
 * `{ group: '/staff/**' }`. The first slash does not count.
 */
export interface GroupRule extends WithoutMembers<Exclude<RuleMember, 'group'>> {
  /** The path of the group: `'/staff/it'`; with `/**` at its end, the groups below it count as well. */
  readonly group: string
}

/**
 * Membership of an organization, in the claim `organization`: by alias, of any (`true`), or of the one that a parameter of
 * the route names.
 *
 * @example
 * { organization: 'acme' }
 * { organization: { param: 'org' }, role: 'admin' }   // on a route such as /organizations/:org/invoices
 */
export interface OrganizationRule extends WithoutMembers<Exclude<RuleMember, 'organization' | 'role'>> {
  /** The alias of the organization, `true` for any, or `{ param }`: the parameter of the route that holds the alias. */
  readonly organization: OrganizationName | OneOf<OrganizationName> | true | { readonly param: string }
  /** A role that the member needs in the organization: one of `roles` of `request.organizations`. */
  readonly role?: string
  /** @deprecated Misspelled: write `role`. */
  readonly roles?: WriteInstead<'role'>
}

/** The client that the token was issued to, the claim `azp`: `{ authorizedParty: 'web' }`. It says nothing about the user. */
export interface AuthorizedPartyRule extends WithoutMembers<Exclude<RuleMember, 'authorizedParty'>> {
  /** The id of the client: `'web'`. */
  readonly authorizedParty: ClientName | OneOf<ClientName>
}

/** A word of the claim `scope`: `{ scope: 'write' }`. */
export interface ScopeWordRule extends WithoutMembers<Exclude<RuleMember, 'scope'>> {
  /** The word: `'write'`. */
  readonly scope: ScopeName | OneOf<ScopeName>
}

/**
 * A permission that Keycloak's Authorization Services grant: a resource by its name or id, `#`, and its scopes, all of which the
 * caller needs. `{id}` stands for a parameter of the route. It is asynchronous: for the config of a route and `request.isAllowed`.
 * Needs the option `uma`.
 *
 * @example
 * { uma: 'invoice:{id}#write' }   // on a route such as /invoices/:id
 * { uma: 'report#read,export' }
 * { uma: 'dashboard#' }           // a resource without scopes
 */
export interface UmaRule extends WithoutMembers<Exclude<RuleMember, 'uma'>> {
  /** The resource, `#`, and its scopes with commas between them: `'invoice:{id}#write'`. */
  readonly uma: `${string}#${string}`
}

/** A rule about one claim. */
export type ClaimRule = RealmRoleRule | ClientRoleRule | GroupRule | OrganizationRule | AuthorizedPartyRule | ScopeWordRule
