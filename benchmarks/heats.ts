// Who runs in turn with whom.
import type { Contender } from './contenders.js'

/** A base, and who is measured against it. */
export interface Heat {
  base: Contender
  others: readonly Contender[]
}

/** Who has a base among them runs with it, who has none and is nobody's base alone. */
export function heatsOf (contenders: readonly Contender[]): Heat[] {
  const based = (other: Contender, name: string) => other.base === name
  return contenders
    .map((base) => ({ base, others: contenders.filter((other) => based(other, base.name)) }))
    .filter(({ base, others }) => others.length > 0 || !contenders.some(({ name }) => based(base, name)))
}
