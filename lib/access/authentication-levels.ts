/** Levels of authentication, from low to high. */
export type AcrLevels = readonly string[]

/** Is a login of this level as strong as one of the wanted ones? */
export type LevelCheck = (acr: string, wanted: readonly string[]) => boolean

/**
 * @param levels a higher one is good for a lower one; `undefined`: each level stands for itself alone
 */
export function createLevelCheck (levels: AcrLevels | undefined): LevelCheck {
  if (levels === undefined) return (acr, wanted) => wanted.includes(acr)
  const ranks = new Map(levels.map((level, rank) => [level, rank]))
  return (acr, wanted) => {
    if (wanted.includes(acr)) return true
    const own = ranks.get(acr)
    return own !== undefined && wanted.some((level) => (ranks.get(level) ?? Infinity) < own)
  }
}
