import type { UmaGrant } from '../../types/uma.js'
import { kindOf } from '../util/kind-of.js'
import type { Caller } from './caller.js'
import { parametersIn } from './route-parameters.js'
import { compilePermission } from './uma/permission.js'

/** The most permissions of one question: about 30 kB of its form. */
const MAX = 100

const WHAT = `an array of up to ${MAX} permissions such as "invoice:7#read", or left out for all permissions of the caller`

/**
 * `request.umaPermissions`.
 * @throws {TypeError} (a rejection) for other values
 */
export async function umaPermissions (permissions: unknown, caller: Caller): Promise<readonly UmaGrant[]> {
  if (permissions === undefined) return caller.umaPermissions(undefined)
  if (!Array.isArray(permissions)) throw wrong(kindOf(permissions))
  if (permissions.length > MAX) throw wrong(`${permissions.length} of them; ask in several calls`)
  const { params, routeOptions: { url } } = caller.request
  const asked = Array.from(permissions, (each: unknown, at) => compilePermission(each, `umaPermissions[${at}]`, () => parametersIn(String(url))).fill(params))
  return caller.umaPermissions(asked.filter((permission) => permission !== undefined))
}

function wrong (found: string): TypeError {
  return new TypeError(`umaPermissions must get ${WHAT}, not ${found}`)
}
