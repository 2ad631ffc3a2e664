import * as z from 'zod'
import { withoutPrototype } from '../util/members.js'
import { exactText, milliseconds, whole } from './values.js'

const UMA = 'true, or an object with resourceServer, timeout, cacheTtl and maxPending'

export const umaGroup = z.strictObject({
  resourceServer: exactText('the id of the client whose resources and policies decide').optional(),
  timeout: milliseconds(1).default(5000),
  cacheTtl: milliseconds(0).default(0),
  maxPending: whole(1).default(1000)
}, UMA)

/** The option: `true` is all defaults. A member that was left out is not found in a polluted Object.prototype. */
export const uma = z.union([z.literal(true, UMA).transform(() => withoutPrototype({})).pipe(umaGroup), umaGroup], UMA)
  .transform((members) => withoutPrototype(members))
  .optional()
