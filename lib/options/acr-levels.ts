import { SCOPE_WORD } from '../util/scope-word.js'
import { checked, list } from './schemas.js'
import { matching } from './values.js'

const WHAT = "an array of at least two levels of authentication from low to high, such as ['silver', 'gold']"
const LEVEL = 'a level of authentication such as "gold", without spaces, quotes and backslashes'

/** `acrLevels`, without duplicates. Levels stand in a list with spaces between them (RFC 9470 section 3). */
export const acrLevels = checked(list(matching(SCOPE_WORD, LEVEL), WHAT, 1), WHAT, (levels) => {
  const twice = levels.find((level, at) => levels.indexOf(level) !== at)
  if (levels.length === 1) return { found: 'an array of one' }
  return twice === undefined ? undefined : { found: `one that has ${JSON.stringify(twice)} twice` }
})
