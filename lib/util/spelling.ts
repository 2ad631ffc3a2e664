/**
 * The number of letters that must be added, dropped, changed or swapped with their neighbour to make one word of the other
 * (optimal string alignment).
 */
export function distance (from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) next[j] = Math.min(next[j]!, before[j - 2]! + 1)
    }
    before = row
    row = next
  }
  return row[to.length]!
}

/** The most characters of a name that a stranger may give to soundOf(): NFKC takes quadratic time for combining characters. */
export const MAX_SOUND = 256

/**
 * The same text for all names that look alike, or that a program could take for one another: those that differ in case (also by
 * the rules of Turkish), white space, invisible characters and the form of characters alone (NFKC).
 */
export function soundOf (name: string): string {
  const visible = name.normalize('NFKC').replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{White_Space}]/gu, '')
  // Upper case makes SS of ß and I of ı; a capital ẞ must be lower first; İ becomes an i with a dot above it.
  return visible.toLowerCase().toUpperCase().toLowerCase().replaceAll('i\u0307', 'i').normalize('NFKC')
}

/** The one of some words that a misspelled one most likely means, if any is near. */
export function nearest (word: string, words: readonly string[], reach: number): string | undefined {
  if (word.length > 40) return undefined
  const lower = word.toLowerCase()
  const [best] = words
    .map((each) => ({ each, far: distance(lower, each.toLowerCase()) }))
    .filter(({ far }) => far <= reach)
    .sort((one, other) => one.far - other.far)
  return best?.each
}
