import { reasonFor } from '../../reasons/reason.js'
import { nameOf } from '../../util/claim-path.js'
import type { Groups } from '../groups.js'
import { withoutSlash } from '../groups.js'
import { type ObjectRule, rulesOfClaims } from '../rule.js'
import { lightweight } from './lightweight.js'
import { textOf } from './text.js'

const ruleOf = rulesOfClaims('group')

/** The end of a rule that includes all groups below. */
const BELOW = '/**'

/** `{ group: '/staff/it' }`: a group by its path; `{ group: '/staff/**' }`: that group and all below it. */
export const group: ObjectRule = {
  companions: [],
  compile (members, place) {
    const path = textOf(members, 'group', 'the path of a group such as "/staff/it", or "/staff/**" for the group and all below it', place)
    const has = matcherOf(path, `${place.name}.group`)
    return ruleOf({
      text: `group ${path}`,
      check: ({ rights }) => has(rights.groups),
      denial (caller, rule) {
        const { groupsClaim } = caller.realm.options
        const claim = nameOf(groupsClaim)
        if (!caller.rights.groups.isList) return lightweight(caller, rule, claim) ?? reasonFor('groups_absent', { rule, claim })
        return reasonFor('group_missing', { rule, claim })
      }
    })
  }
}

/** @throws {TypeError} for a path that no group has */
function matcherOf (path: string, name: string): (groups: Groups) => boolean {
  const full = `/${withoutSlash(path)}`
  const isTree = full.endsWith(BELOW)
  const group = full.slice(1, isTree ? -BELOW.length : undefined)
  if (isTree && full === BELOW) return (groups) => !groups.isEmpty
  if (group.includes('*')) throw new TypeError(`${name} has an asterisk in another place than a last "/**", which stands for all groups below`)
  if (group.split('/').includes('')) throw new TypeError(`${name} has an empty segment; write it as Keycloak shows the path of the group, such as "/staff/it"`)
  if (!isTree) return (groups) => groups.has(group)
  const prefix = `${group}/`
  return (groups) => groups.has(group) || groups.hasBelow(prefix)
}
