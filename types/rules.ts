import type { FastifyRequest } from 'fastify'
import type { ClaimRule, RuleMember, UmaRule, WithoutMembers } from './claim-rules.js'
import type { IssuerName, PermissionName, ScopeName } from './declared.js'
import type { Claims } from './user.js'
import type { OneOf, WriteInstead } from './write-instead.js'

/**
 * A rule of your own: only `true` (or a promise of `true`) allows. An error that it throws is your application's error.
 *
 * @example
 * config: { permission: (claims, request) => claims.azp === 'web' }
 */
export type PermissionFunction = (claims: Claims, request: FastifyRequest) => boolean | Promise<boolean>

/** {@link PermissionFunction} for `request.hasPermission`: no promise. */
export type SyncPermissionFunction = (claims: Claims, request: FastifyRequest) => boolean

/** One of several rules is enough: `{ any: ['admin', ['read', 'write']] }`. */
export interface AnyRule extends WithoutMembers<Exclude<RuleMember, 'any' | 'all'>> {
  /** The rules of which one is enough; not empty. */
  readonly any: readonly [PermissionRule, ...PermissionRule[]]
  /** One of `any` may be `{ all: […] }`. */
  readonly all?: WriteInstead<'any or all, which may hold the other'>
}

/** All of several rules are needed: `{ all: ['read', 'write'] }`, which is the same as an array. */
export interface AllRules extends WithoutMembers<Exclude<RuleMember, 'any' | 'all'>> {
  /** The rules that are needed; not empty. */
  readonly all: readonly [PermissionRule, ...PermissionRule[]]
  /** One of `all` may be `{ any: […] }`. */
  readonly any?: WriteInstead<'any or all, which may hold the other'>
}

/**
 * The callers who are allowed: a role, a rule about a claim, all of several rules, any of several rules, or a function;
 * nested up to 16 deep. docs/who-may.md explains each.
 *
 * @example
 * 'read-profile'
 * ['read', 'write']
 * { any: ['admin', ['read', 'write']] }
 * { realmRole: 'admin' }
 * { organization: { param: 'org' } }
 * { uma: 'invoice:{id}#write' }
 * (claims, request) => claims.azp === 'web'
 */
export type PermissionRule =
  | PermissionFunction
  | AnyRule
  | AllRules
  | ClaimRule
  | UmaRule
  | PermissionName
  | OneOf<PermissionName>
  | readonly [PermissionRule, ...PermissionRule[]]

/** {@link AnyRule} for `request.hasPermission`. */
export interface SyncAnyRule extends WithoutMembers<Exclude<RuleMember, 'any' | 'all'>> {
  /** The rules of which one is enough; not empty. */
  readonly any: readonly SyncPermissionRule[]
  /** One of `any` may be `{ all: […] }`. */
  readonly all?: WriteInstead<'any or all, which may hold the other'>
}

/** {@link AllRules} for `request.hasPermission`. */
export interface SyncAllRules extends WithoutMembers<Exclude<RuleMember, 'any' | 'all'>> {
  /** The rules that are needed; not empty. */
  readonly all: readonly SyncPermissionRule[]
  /** One of `all` may be `{ any: […] }`. */
  readonly any?: WriteInstead<'any or all, which may hold the other'>
}

/** {@link PermissionRule} for `request.hasPermission`, which is synchronous: its functions return no promise. */
export type SyncPermissionRule =
  | PermissionName
  | readonly SyncPermissionRule[]
  | SyncAnyRule
  | SyncAllRules
  | ClaimRule
  | SyncPermissionFunction

/** The words that the `scope` claim must contain (RFC 6749 section 3.3), all of them: `'write'`, `['read', 'write']`. */
export type ScopeRule = ScopeName | OneOf<ScopeName> | readonly [ScopeName, ...ScopeName[]]

/** The names of the issuers whose tokens a route takes, one of them: `'acme'`, `['acme', 'globex']`. */
export type IssuerRule = IssuerName | OneOf<IssuerName> | readonly [IssuerName, ...IssuerName[]]
