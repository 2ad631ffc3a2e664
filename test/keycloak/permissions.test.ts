// Who may call what, by the roles that Keycloak puts into the token.
import t from 'tap'
import { api, get, introspecting, options, refused, token } from './helpers.js'

for (const [name, settings] of Object.entries({ 'without introspection': options, 'with introspection': introspecting })) {
  t.test(name, async (t) => {
    const app = await api(t, settings)
    const [alice, bob, carol] = await Promise.all([token('cli', 'alice'), token('cli', 'bob'), token('cli', 'carol')])

    t.test('a role opens its route', async (t) => {
      t.equal((await get(app, '/profile', alice)).statusCode, 200)
      t.equal((await get(app, '/admin', carol)).statusCode, 200)
    })

    t.test('another role, or none, is 403', async (t) => {
      refused(t, await get(app, '/admin', alice), 'permission_denied')
      refused(t, await get(app, '/profile', bob), 'permission_denied')
    })

    t.test('a role of the same name that another client has given is 403', async (t) => {
      // Carol has view-profile of the client "account", not of "api".
      refused(t, await get(app, '/profile', carol), 'permission_denied')
    })

    t.test('a user without any role is somebody all the same', async (t) => {
      const response = await get(app, '/me', bob)
      t.equal(response.statusCode, 200)
      t.equal(response.json().user.username, 'bob')
    })

    t.test('nobody is 401 where a token is needed, and null where not', async (t) => {
      refused(t, await get(app, '/profile'), 'not_authenticated')
      refused(t, await get(app, '/me'), 'not_authenticated')
      const response = await get(app, '/open')
      t.equal(response.statusCode, 200)
      t.strictSame(response.json(), { user: null })
    })
  })
}

t.test('the roles of the realm count where permissionPath says so', async (t) => {
  const app = await api(t, { ...options, permissionPath: 'realm_access.roles' })
  app.get('/realm-admin', { config: { permission: 'admin' } }, async () => 'welcome')
  t.equal((await get(app, '/realm-admin', await token('cli', 'carol'))).statusCode, 200)
  refused(t, await get(app, '/realm-admin', await token('cli', 'alice')), 'permission_denied')
  refused(t, await get(app, '/realm-admin', await token('cli', 'bob')), 'permission_denied')
})

t.test('with clientId left out a role that Keycloak gives to nobody by itself stays closed', async (t) => {
  const { clientId, ...withoutClientId } = options
  const app = await api(t, withoutClientId)
  app.get('/reading', { config: { permission: 'read-profile' } }, async () => 'welcome')
  const accessToken = await token('cli', 'carol')
  refused(t, await get(app, '/reading', accessToken), 'permission_denied')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200, 'unlike view-profile, which everybody has of the client "account"')
})

t.test('a scope of the token opens its route', async (t) => {
  const app = await api(t)
  app.get('/mail', { config: { scope: 'email' } }, async () => 'you have mail')
  app.get('/offline', { config: { scope: ['email', 'offline_access'] } }, async () => 'later')
  const accessToken = await token('cli', 'alice')
  t.equal((await get(app, '/mail', accessToken)).statusCode, 200)
  refused(t, await get(app, '/offline', accessToken), 'permission_denied')
})
