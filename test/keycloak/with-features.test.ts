// Experimental features of Keycloak, for which the server starts anew: this file is the last of its folder.
import t from 'tap'
import { McpClient } from '../support/mcp-client.js'
import { CONFIG, listeningServer } from '../support/mcp-server.js'
import { server } from './helpers.js'
import { mcpRealm, REDIRECT } from './mcp-realm.js'

t.before(async () => {
  await server.stop()
  await server.start('resource-indicators')
})

for (const hasResource of [true, false]) {
  t.test(`resource indicators, ${hasResource ? 'with' : 'without'} a client that has the URL`, async (t) => {
    const { url } = await listeningServer(t, async (resource) => ({ issuer: (await mcpRealm(t, resource, hasResource)).issuer, resource: { resource, scopes: ['mcp'] } }), CONFIG)
    const client = new McpClient(url, { redirectUri: REDIRECT, username: 'alice', clientId: 'desktop' })
    t.teardown(() => client.close())
    if (!hasResource) {
      await t.rejects(client.connect(), /The requested resource is invalid, missing, unknown, or malformed/)
      return
    }
    await client.connect()
    t.equal(client.claims.aud, url, 'nothing else is in aud')
    t.match(JSON.parse(await client.call('write')), { name: 'write', clientId: 'desktop', resource: url })
    t.same(client.logins, ['mcp', 'mcp notes:write'])
  })
}
