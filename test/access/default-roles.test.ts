// Keycloak gives each user the roles of its client "account", `view-profile` among them. A rule that names one of them
// lets everybody in as soon as the roles are read from there, and the default of `clientId` does that.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, realmFor } from '../support/app.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A rule or a list of roles in code: `permission: 'a'`, `{ any: ['a', 'b'] }`, `hasPermission('a')`, `roles: ['a']`. */
const RULE = /\b(?:permission|roles|hasPermission)\b\W[^\n]*/g

/** All that users read or copy, the demo's page included. */
const SHOWN = ['README.md', ...filesIn('docs'), ...filesIn('examples'), ...filesIn('types'), 'lib/testing/index.ts']

function filesIn (folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:md|ts|js|mjs|html)$/.test(path) && !path.includes('node_modules'))
    .map((path) => join(folder, path))
}

function read (path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The roles of a user that nobody gave any. */
function defaultRoles (realm: TestRealm): string[] {
  const { realm_access: { roles }, resource_access: { account } } = JSON.parse(Buffer.from(realm.token().split('.')[1]!, 'base64url').toString())
  return [...roles, ...account.roles]
}

t.test('a user with nothing but Keycloak\'s default roles does not reach the route of README\'s first example, whatever clientId is', async (t) => {
  const [, example] = /```ts\n([^]*?)```/.exec(read('README.md'))!
  const [, path, permission] = /app\.get\('([^']+)', \{ config: \{ permission: '([^']+)' \} \}/.exec(example!)!
  const realm = await realmFor(t)
  const { clientId, ...withoutClientId } = realm.options
  for (const [client, options] of [['account', withoutClientId], [clientId, realm.options]] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, options)
    app.get(path!, { config: { permission: permission! } }, async (request) => ({ hello: request.user.username }))
    for (const username of ['bob', 'carol']) t.equal(await ask(app, path!, realm.token({ username })), '403 permission_denied', username)
    const given = { resource_access: { [client]: { roles: [permission] } } }
    t.equal(await ask(app, path!, realm.token({ claims: given })), '200', 'whom the role was given does')
  }
})

t.test('no rule in README, docs, examples or types names a role that each user has', async (t) => {
  const roles = defaultRoles(await realmFor(t))
  t.match(roles, ['default-roles-test', 'offline_access', 'uma_authorization', 'manage-account', 'manage-account-links', 'view-profile'])
  for (const path of SHOWN) {
    const rules = read(path).match(RULE) ?? []
    t.same(rules.filter((rule) => roles.some((role) => rule.includes(`'${role}'`))), [], path)
  }
})
