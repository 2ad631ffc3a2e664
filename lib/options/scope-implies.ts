import { isScopeWord, SCOPE_WORD } from '../util/scope-word.js'
import { checked, list, record, string } from './schemas.js'
import { foundAs, matching } from './values.js'

const WHAT = "an object of scopes and the scopes that each stands for, such as { 'mcp:admin': ['mcp:tools'] }"
const WORD = 'a word of the scope claim such as "write"'
const WORDS = 'an array of the scopes that it stands for'

/** `scopeImplies`, without circles. */
export const scopeImplies = checked(record(string(WHAT), list(matching(SCOPE_WORD, WORD), WORDS, 1), WHAT), WHAT, (implications) => foundAs(faultIn(implications)))

function faultIn (implications: Readonly<Record<string, readonly string[]>>): string | undefined {
  const stranger = Object.keys(implications).find((scope) => !isScopeWord(scope))
  if (stranger !== undefined) return 'one with a key that is no word of a scope claim'
  const circle = circleIn(implications)
  return circle && `one with a circle: ${circle.join(' > ')}`
}

/** The scopes of a circle, the first one at its end again; `undefined` if there is none. */
function circleIn (implications: Readonly<Record<string, readonly string[]>>): string[] | undefined {
  const finished = new Set<string>()
  const way: string[] = []
  const follow = (scope: string): string[] | undefined => {
    if (way.includes(scope)) return [...way.slice(way.indexOf(scope)), scope]
    if (finished.has(scope) || !Object.hasOwn(implications, scope)) return undefined
    way.push(scope)
    for (const next of implications[scope]!) {
      const circle = follow(next)
      if (circle !== undefined) return circle
    }
    way.pop()
    finished.add(scope)
    return undefined
  }
  return Object.keys(implications).map(follow).find((circle) => circle !== undefined)
}
