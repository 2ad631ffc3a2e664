import { type JsonObject, member } from '../util/strict-json.js'

/** Scopes, and the scopes that each of them stands for. */
export type ScopeImplications = Readonly<Record<string, readonly string[]>>

/** Does the `scope` claim, words with single spaces between them (RFC 6749 section 3.3), contain all these words? */
export type ScopeCheck = (claims: JsonObject, words: readonly string[]) => boolean

/** @returns a check that counts a word as granted if another granted word stands for it */
export function createScopeCheck (implications: ScopeImplications | undefined): ScopeCheck {
  if (implications === undefined) return hasScopes
  const substitutes = substitutesIn(implications)
  return (claims, words) => {
    const granted = grantedWords(claims)
    return words.every((word) => granted.includes(word) || granted.some((each) => substitutes.get(word)?.has(each)))
  }
}

function hasScopes (claims: JsonObject, words: readonly string[]): boolean {
  const granted = grantedWords(claims)
  return words.every((word) => granted.includes(word))
}

/** @returns the words of the `scope` claim, and empty ones where it has more than one space */
export function grantedWords (claims: JsonObject): string[] {
  const scope = member(claims, 'scope')
  return typeof scope === 'string' ? scope.split(' ') : []
}

/** By word: all words that stand for it, directly or through others. The implications have no circle. */
function substitutesIn (implications: ScopeImplications): Map<string, Set<string>> {
  const substitutes = new Map<string, Set<string>>()
  for (const word of Object.keys(implications)) {
    const implied = new Set(implications[word])
    // A Set goes on to the words that are added on the way.
    for (const each of implied) {
      for (const next of Object.hasOwn(implications, each) ? implications[each]! : []) implied.add(next)
      substitutes.set(each, (substitutes.get(each) ?? new Set()).add(word))
    }
  }
  return substitutes
}
