import * as z from 'zod'
import { isScopeWord, SCOPE_WORD } from '../util/scope-word.js'

const WHAT = "an object of scopes and the scopes that each stands for, such as { 'mcp:admin': ['mcp:tools'] }"
const WORD = 'a word of the scope claim such as "write"'
const WORDS = 'an array of the scopes that it stands for'

/** `scopeImplies`, without circles. */
export const scopeImplies = z.record(z.string(), z.array(z.string(WORD).regex(SCOPE_WORD, WORD), WORDS).min(1, WORDS), WHAT).superRefine((implications, context) => {
  const found = faultIn(implications)
  if (found !== undefined) context.addIssue({ code: 'custom', message: WHAT, params: { found } })
})

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
