import { group, optional } from './schemas.js'
import { exactText, milliseconds, orTrue, whole } from './values.js'

const UMA = 'true, or an object with resourceServer, timeout, cacheTtl and maxPending'

export const umaGroup = group({
  resourceServer: optional(exactText('the id of the client whose resources and policies decide')),
  timeout: optional(milliseconds(1), 5000),
  cacheTtl: optional(milliseconds(0), 0),
  maxPending: optional(whole(1), 1000)
}, UMA)

/** The option: `true` is all defaults. */
export const uma = optional(orTrue(umaGroup, UMA))
