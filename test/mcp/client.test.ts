// The official client from the first 401 to a scope that it has to ask for, at the test realm.
import t from 'tap'
import { createTestRealm, type LoginOptions } from '../../lib/testing/index.js'
import { McpClient } from '../support/mcp-client.js'
import { CONFIG, FOR_REGISTRATION, listeningServer } from '../support/mcp-server.js'

const REDIRECT = 'http://127.0.0.1:8765/callback'

for (const [name, clientId, resources] of [
  ['a client that registers itself', undefined, false],
  ['a client that the realm knows', 'desktop', false],
  ['a client that the realm knows, with resource indicators', 'desktop', true]
] as const) {
  t.test(name, async (t) => {
    let url = ''
    const login: LoginOptions = {
      clientId: 'desktop',
      redirectUris: [REDIRECT],
      users: { alice: { password: 'alice-pw' } },
      scopes: () => ({ mcp: { audience: url }, 'notes:write': { audience: url } }),
      resources: () => resources ? [url] : [],
      registration: true
    }
    const realm = await createTestRealm({ login })
    t.teardown(() => realm.close())
    const server = await listeningServer(t, (resource) => {
      url = resource
      return { issuer: realm.issuer, resource: { resource, scopes: ['mcp'] } }
    }, clientId === undefined ? FOR_REGISTRATION : CONFIG)
    const client = new McpClient(server.url, { redirectUri: REDIRECT, username: 'alice', clientId, firstScope: clientId === undefined ? 'mcp' : undefined })
    t.teardown(() => client.close())
    await client.connect()
    const { origin } = new URL(url)
    t.match(client.requests.slice(0, 3), [`POST ${url} 401`, `GET ${origin}/.well-known/oauth-protected-resource/mcp 200`, /well-known\/(?:oauth-authorization-server|openid-configuration).* 200$/])
    t.equal(client.requests.some((each) => each.includes('/clients-registrations/') && each.endsWith(' 201')), clientId === undefined)
    t.same(client.logins, ['mcp'], 'it asks for the scope of the challenge')
    t.same(await client.tools(), ['whoami', 'write', 'forgotten'])
    const { sub, azp, aud } = client.claims
    t.ok([aud].flat().includes(url))
    t.match(JSON.parse(await client.call('whoami')), { name: 'whoami', clientId: azp, resource: url, sub })
    t.equal(azp, client.clientId)
    t.same(client.logins, ['mcp'])
    t.match(JSON.parse(await client.call('write')), { name: 'write', sub })
    t.same(client.logins, ['mcp', clientId === undefined ? 'notes:write' : 'mcp notes:write'], 'the refusal of the tool made it ask for more')
    t.match(JSON.parse(await client.call('whoami')), { sub }, 'the new token is good for the other tools too')
    await t.rejects(client.call('forgotten'), 'a tool that no rule names')
  })
}

t.test('a token for another server is refused, and so is one for none', async (t) => {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  const { url } = await listeningServer(t, () => ({ issuer: realm.issuer }))
  const list = async (aud: unknown): Promise<number> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${realm.token({ scope: 'mcp', claims: { aud } } as never)}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    })
    return response.status
  }
  t.equal(await list(url), 200)
  for (const aud of ['http://127.0.0.1:9/mcp', `${url}/`, 'account', undefined]) t.equal(await list(aud), 401, String(aud))
})
