// request.isAllowed: the rules of a route, asynchronous ones too, asked in a handler.
import t from 'tap'
import type { PermissionRule } from '../../index.js'
import { apiFor, bearer, realmFor } from '../support/app.js'

t.test('it waits for the answer of a function, and only true allows', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  let rule: PermissionRule
  app.get('/allowed', async (request) => [await request.isAllowed(rule)])
  const cases: Array<[PermissionRule, boolean]> = [
    [async () => true, true], [async () => false, false], [(async () => 'yes') as never, false], [() => true, true], [(() => 1) as never, false],
    [[{ realmRole: 'admin' }, async ({ sub }) => sub !== undefined], true], [{ any: ['x', async (_claims, { url }) => url === '/allowed'] }, true], [['x', async () => { throw new Error('never asked') }], false]
  ]
  for (const [each, isAllowed] of cases) {
    rule = each
    t.same((await app.inject({ url: '/allowed', headers: bearer(realm.token({ realmRoles: ['admin'] })) })).json(), [isAllowed])
    t.same((await app.inject('/allowed')).json(), [false], 'an anonymous caller is asked nothing')
  }
})

t.test('what a function throws is the error of the application', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/now', async (request) => request.isAllowed(() => { throw new Error('mine') }))
  app.get('/later', async (request) => request.isAllowed(async () => { throw new Error('mine') }))
  for (const url of ['/now', '/later']) t.match((await app.inject({ url, headers: bearer(realm.token()) })).json(), { statusCode: 500, message: 'mine' })
})

t.test('a rule object that changes between two requests is the one of its request', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const rule = { realmRole: 'admin' }
  app.get('/both', async (request) => [request.hasPermission(rule), await request.isAllowed(rule)])
  const token = realm.token({ realmRoles: ['admin'] })
  t.same((await app.inject({ url: '/both', headers: bearer(token) })).json(), [true, true])
  rule.realmRole = 'root'
  t.same((await app.inject({ url: '/both', headers: bearer(token) })).json(), [false, false])
})
