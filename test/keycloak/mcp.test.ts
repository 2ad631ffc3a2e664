// The official MCP client from the first 401 to a scope that it has to ask for: its user logs in by Keycloak's own pages.
import t, { type Test } from 'tap'
import { McpClient, type McpClientOptions } from '../support/mcp-client.js'
import { CONFIG, FOR_REGISTRATION, listeningServer } from '../support/mcp-server.js'
import { mcpRealm, REDIRECT } from './mcp-realm.js'

async function clientOf (t: Test, url: string, options: Partial<McpClientOptions>): Promise<McpClient> {
  const client = new McpClient(url, { redirectUri: REDIRECT, username: 'alice', ...options })
  t.teardown(() => client.close())
  await client.connect()
  return client
}

t.test('a client that Keycloak knows logs in, calls tools, and asks for more', async (t) => {
  const { url } = await listeningServer(t, async (resource) => ({ issuer: (await mcpRealm(t, resource)).issuer, resource: { resource, scopes: ['mcp'] } }), CONFIG)
  const client = await clientOf(t, url, { clientId: 'desktop' })
  t.same(client.logins, ['mcp'])
  t.same([client.claims.aud].flat().includes(url), true, 'the parameter resource is ignored, and the scope has the audience')
  t.match(JSON.parse(await client.call('whoami')), { clientId: 'desktop', resource: url, sub: client.claims.sub })
  t.match(JSON.parse(await client.call('write')), { name: 'write', sub: client.claims.sub })
  t.same(client.logins, ['mcp', 'mcp notes:write'])
  await t.rejects(client.call('forgotten'))
})

t.test('a client that registers itself does the same, with the scopes that it named then', async (t) => {
  const { url } = await listeningServer(t, async (resource) => ({ issuer: (await mcpRealm(t, resource)).issuer, resource: { resource, scopes: ['mcp'] } }), FOR_REGISTRATION)
  const client = await clientOf(t, url, { firstScope: 'mcp' })
  t.ok(client.requests.some((each) => /clients-registrations\/openid-connect 201$/.test(each)))
  t.match(client.clientId, /^[\w-]{36}$/)
  t.notOk(Object.hasOwn(client.claims, 'preferred_username'), 'users are known by sub')
  t.match(JSON.parse(await client.call('whoami')), { clientId: client.clientId, sub: client.claims.sub })
  t.match(JSON.parse(await client.call('write')), { name: 'write' })
  t.same(client.logins, ['mcp', 'notes:write'])
})
