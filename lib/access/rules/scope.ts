import { scopeDenial } from '../denial.js'
import { type ObjectRule, rulesOfClaims } from '../rule.js'
import { isScopeWord } from '../../util/scope-word.js'
import { textOf } from './text.js'

const ruleOf = rulesOfClaims('scope')

const WORD = 'a word of the scope claim such as "write"'

/** `{ scope: 'write' }`: a word of the scope claim. */
export const scope: ObjectRule = {
  companions: [],
  compile (members, place) {
    const word = textOf(members, 'scope', WORD, place)
    if (!isScopeWord(word)) throw new TypeError(`${place.name}.scope must be ${WORD}, not a string with blanks, quotes or other characters that no scope has`)
    const words = [word]
    return ruleOf({
      text: `scope ${word}`,
      check: (caller) => caller.hasScopes(words),
      denial: (caller) => scopeDenial(caller, words),
      scopes: words
    })
  }
}
