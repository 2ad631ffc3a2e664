import { CALLERS } from './callers.js'
import { DECISIONS } from './decisions.js'
import { fill, type IsPlain, type ValuesOf } from './entry.js'
import { NETWORK } from './network.js'
import { OUTAGES } from './outages.js'
import { PROOFS } from './proofs.js'
import { PUSHES } from './pushes.js'
import { SERVICES } from './services.js'
import { TOKENS } from './tokens.js'

/** An intersection, so that the declarations do not repeat all sentences. */
type Reasons = typeof TOKENS & typeof CALLERS & typeof OUTAGES & typeof NETWORK & typeof PUSHES & typeof PROOFS & typeof DECISIONS & typeof SERVICES

/** Every reason for which something is refused: its code, its sentence, and what an operator does. */
export const REASONS: Reasons = { ...TOKENS, ...CALLERS, ...OUTAGES, ...NETWORK, ...PUSHES, ...PROOFS, ...DECISIONS, ...SERVICES }

/**
 * The code of the reason for a refusal. Codes do not change; docs/troubleshooting.md lists all of them, each with its sentence
 * and its cure.
 */
export type KeycloakReasonCode = keyof Reasons

/** The reasons whose sentence needs no value. */
export type PlainReasonCode = { [Code in KeycloakReasonCode]: IsPlain<Reasons[Code]> extends true ? Code : never }[KeycloakReasonCode]

/** A reason with its code and its sentence. */
export interface Reason {
  readonly reasonCode: KeycloakReasonCode
  /** One sentence that is safe in a log. */
  readonly reason: string
}

/** A reason with its values. A value from a token must be safe to show. */
export function reasonFor<Code extends KeycloakReasonCode> (reasonCode: Code, values: ValuesOf<Reasons[Code]>): Reason {
  return { reasonCode, reason: fill(REASONS[reasonCode], values) }
}

/** A reason whose sentence needs no value. */
export function plainReason (reasonCode: KeycloakReasonCode): Reason {
  return { reasonCode, reason: fill(REASONS[reasonCode], {}) }
}

/** The sentence of a reason with its advice, which many sentences have already. */
export function explained ({ reasonCode, reason }: Reason): string {
  const { sentence, advice } = REASONS[reasonCode]
  return sentence.includes('{advice}') ? reason : `${reason}: ${fill({ sentence: advice, advice: '' }, {})}`
}

/** The problem without values and advice, for calls of Keycloak, whose tokens are not access tokens. */
export function problemOf (reasonCode: KeycloakReasonCode): Reason {
  const [problem] = REASONS[reasonCode].sentence.split(': ', 1)
  return { reasonCode, reason: fill({ sentence: problem!, advice: '' }, {}) }
}

export function isReasonCode (text: string): text is KeycloakReasonCode {
  return Object.hasOwn(REASONS, text)
}

/** Is it a reason as {@link reasonFor} makes it, or an error that has one? */
export function isReason (value: unknown): value is Reason {
  if (typeof value !== 'object' || value === null) return false
  const { reasonCode, reason } = value as Partial<Reason>
  return typeof reason === 'string' && typeof reasonCode === 'string' && isReasonCode(reasonCode)
}
