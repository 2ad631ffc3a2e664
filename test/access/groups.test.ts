// { group }: a group by its path, or a group and all below it.
import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'

const DENIED = '403 permission_denied'

/** By rule: claims that fulfil it, and claims that do not. */
const CASES: Array<[group: string, allowed: unknown[], denied: unknown[]]> = [
  ['/staff/it', [['/staff/it'], ['staff/it'], ['/x', '/staff/it']],
    [['/staff'], ['/staff/itx'], ['/staff/it/admins'], ['/STAFF/it'], ['/staff/IT'], ['it'], ['//staff/it'], ['/staff//it'], ['/staff/it/'], ['/staff/it '], [['/staff/it']], [{ path: '/staff/it' }], '/staff/it', { '/staff/it': true }, [5, null, true], [], null, undefined]],
  ['staff/it', [['/staff/it'], ['staff/it']], [['/x/staff/it'], ['it']]],
  ['it', [['it'], ['/it']], [['/staff/it'], ['IT']]],
  ['/staff/**', [['/staff'], ['staff'], ['/staff/it'], ['/staff/it/admins'], ['staff/it'], ['/x', '/staff/it']],
    [['/staffx'], ['/staff-it'], ['/staffx/it'], ['/x/staff'], ['/Staff/it'], ['//staff/it'], ['/sta'], [['/staff/it']], '/staff/it', [5, null], [], undefined]],
  ['staff/it/**', [['/staff/it'], ['/staff/it/a/b/c']], [['/staff'], ['/staff/itx'], ['/staff/itx/a'], ['/staff/a/it']]],
  ['/**', [['/staff'], ['it'], ['/a/b']], [[], [''], ['/'], [5], '/staff', null, undefined]],
  ['**', [['/staff']], [[]]],
  ['/a b/ö~/x', [['/a b/ö~/x']], [['/a b/o~/x'], ['/a b/ö']]],
  ['/constructor', [['/constructor']], [['/x'], {}]]
]

t.test('a group is its path, whatever its first slash, and its case counts', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const [at, [group]] of CASES.entries()) app.get(`/rule/${at}`, { config: { permission: { group } } }, async () => 'ok')
  for (const [at, [group, allowed, denied]] of CASES.entries()) {
    for (const groups of allowed) t.equal(await ask(app, `/rule/${at}`, realm.token({ claims: { groups } })), '200', `${group}: ${JSON.stringify(groups)}`)
    for (const groups of denied) t.equal(await ask(app, `/rule/${at}`, realm.token({ claims: { groups } })), DENIED, `${group}: ${JSON.stringify(groups)}`)
  }
})

t.test('one of thousands of groups is found, also deep below', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { limits: { tokenLength: 1_000_000 } })
  const groups = [...Array.from({ length: 10_000 }, (_, at) => `/g${at}`), `/deep${'/x'.repeat(5_000)}`]
  const token = realm.token({ groups })
  for (const [at, group] of ['/g9999', '/deep/**', `/deep${'/x'.repeat(4_999)}/**`, '/g10000', '/g9/**'].entries()) app.get(`/rule/${at}`, { config: { permission: { group } } }, async () => 'ok')
  for (const [at, answer] of ['200', '200', '200', DENIED, '200'].entries()) t.equal(await ask(app, `/rule/${at}`, token), answer, `${at}`)
})

t.test('groupsClaim says where the groups are', async (t) => {
  const realm = await realmFor(t)
  const claims = { groups: ['/default'], member: { of: ['/nested'] }, 'https://x.y/groups': ['/dotted'] }
  for (const [groupsClaim, group] of [['groups', '/default'], ['member.of', '/nested'], [['member', 'of'], '/nested'], [['https://x.y/groups'], '/dotted']] as const) {
    const app = await apiFor(t, realm, { groupsClaim })
    app.get('/group', { config: { permission: { group } } }, async () => 'ok')
    app.get('/other', { config: { permission: { group: '/other' } } }, async () => 'ok')
    t.equal(await ask(app, '/group', realm.token({ claims })), '200')
    t.equal(await ask(app, '/group', realm.token()), DENIED)
    t.equal(await ask(app, '/other', realm.token({ claims })), DENIED)
  }
})
