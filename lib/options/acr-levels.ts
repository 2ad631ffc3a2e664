import * as z from 'zod'

const WHAT = "an array of at least two levels of authentication from low to high, such as ['silver', 'gold']"
const LEVEL = 'a level of authentication such as "gold", without spaces, quotes and backslashes'

/** Levels stand in a list with spaces between them (OpenID Connect Core section 3.1.2.1, RFC 9470 section 3). */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** `acrLevels`, without duplicates. */
export const acrLevels = z.array(z.string(LEVEL).regex(WORD, LEVEL), WHAT).min(1, WHAT).superRefine((levels, context) => {
  const twice = levels.find((level, at) => levels.indexOf(level) !== at)
  const found = levels.length === 1 ? 'an array of one' : twice !== undefined && `one that has ${JSON.stringify(twice)} twice`
  if (found !== false) context.addIssue({ code: 'custom', message: WHAT, params: { found } })
})
