// Who runs in turn with whom.
import type { Contender } from './contenders.js'

/** A base, and who is measured against it. */
export interface Heat {
  base: Contender
  others: readonly Contender[]
  /** Does the base run against a base of its own as well? Then it is told of there. */
  runsElsewhere: boolean
}

/** Who has a base among them runs with it, who has none and is nobody's base alone. */
export function heatsOf (contenders: readonly Contender[]): Heat[] {
  return contenders.map((base) => ({
    base,
    others: contenders.filter((other) => other.base === base.name),
    runsElsewhere: contenders.some(({ name }) => name === base.base)
  })).filter(({ others, runsElsewhere }) => others.length > 0 || !runsElsewhere)
}
