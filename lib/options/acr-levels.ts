import * as z from 'zod'
import { SCOPE_WORD } from '../util/scope-word.js'

const WHAT = "an array of at least two levels of authentication from low to high, such as ['silver', 'gold']"
const LEVEL = 'a level of authentication such as "gold", without spaces, quotes and backslashes'

/** `acrLevels`, without duplicates. Levels stand in a list with spaces between them (RFC 9470 section 3). */
export const acrLevels = z.array(z.string(LEVEL).regex(SCOPE_WORD, LEVEL), WHAT).min(1, WHAT).superRefine((levels, context) => {
  const twice = levels.find((level, at) => levels.indexOf(level) !== at)
  const found = levels.length === 1 ? 'an array of one' : twice !== undefined && `one that has ${JSON.stringify(twice)} twice`
  if (found !== false) context.addIssue({ code: 'custom', message: WHAT, params: { found } })
})
