import type { Reason } from '../reasons/reason.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { JsonObject } from '../util/strict-json.js'
import type { Caller } from './caller.js'

/** A compiled rule: does the caller fulfil it? */
export type Check = (caller: Caller) => MaybePromise<boolean>

/** The kinds of rules that lists are made of. */
export type RuleKind = 'role' | 'realmRole' | 'clientRole' | 'group' | 'organization' | 'authorizedParty' | 'scope' | 'uma' | 'function'

/** A compiled rule, and its text. */
export interface Rule {
  readonly check: Check
  /** The rule in words: `realm role admin`. */
  readonly text: string
  /** Do the same claims always get the same answer? Not if a function of the application decides, Keycloak, or a parameter of the route. */
  readonly dependsOnClaimsOnly: boolean
  /** The kinds of the rule and of the rules within it. */
  readonly kinds: ReadonlySet<RuleKind>
  /** The scopes that a token needs; of alternatives those of the first that needs any, since a client may not get all of them. */
  readonly scopes: readonly string[]
  /** All scopes that the rule names. */
  readonly namedScopes: readonly string[]
  /**
   * The reason why a caller does not fulfil the rule.
   * @param permission the text of the whole permission
   */
  readonly denial: (caller: Caller, permission: string) => Reason
}

/** The place of a rule. */
export interface RulePlace {
  /** The name of the rule in error messages: `config.permission[1]`. */
  readonly name: string
  /** The parameters in the URL of the route. */
  readonly parameters: () => ReadonlySet<string>
}

/** A kind of rule that is an object. */
export interface ObjectRule {
  /** The members that the rule may have in addition to the one that names it. */
  readonly companions: readonly string[]
  /**
   * @param members the own members of the rule, each read once
   * @throws {TypeError} for a member that has not its type
   */
  readonly compile: (members: JsonObject, place: RulePlace) => Rule
}

const NONE: readonly string[] = []

/** The parts in which rules of one kind differ. */
type RuleParts = Pick<Rule, 'text' | 'check' | 'denial'> & Partial<Pick<Rule, 'scopes'>>

/** @returns a function that makes rules of a kind, which the claims alone decide */
export function rulesOfClaims (kind: RuleKind): (parts: RuleParts) => Rule {
  const kinds = new Set([kind])
  return ({ text, check, denial, scopes = NONE }) => ({ text, check, denial, dependsOnClaimsOnly: true, kinds, scopes, namedScopes: scopes })
}
