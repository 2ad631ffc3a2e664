// `npm start`: on a realm in this process, or on the one at KEYCLOAK_ISSUER. SESSIONS=1 starts it with sessions. MCP_URL is the URL
// that clients know, if it is another one than http://127.0.0.1:PORT/mcp.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { buildApp } from './app.js'
import { startRealm } from './realm.js'

const { KEYCLOAK_ISSUER, PORT = '3000', SESSIONS } = process.env

// The URL is part of each token, so the port must be known before the server listens.
const port = Number(PORT) || await freePort()
const { MCP_URL: url = `http://127.0.0.1:${port}/mcp` } = process.env

const realm = KEYCLOAK_ISSUER === undefined ? await startRealm(url) : undefined
const app = await buildApp({ url, keycloak: { issuer: realm?.issuer ?? KEYCLOAK_ISSUER! }, sessions: SESSIONS !== undefined })
app.addHook('onClose', () => realm?.close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })

await app.listen({ port, host: '127.0.0.1' })
const token = realm?.token({ scope: 'openid notes', claims: { aud: url } }) ?? '…   # of your realm'
const call = (name: string) => `'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":{"text":"Buy milk"}}}'`
console.log(`
The MCP server is ${url}${realm === undefined ? '' : ': log in as alice (alice-pw) or bob (bob-pw)'}. To connect a client:

  npx @modelcontextprotocol/inspector --transport http --server-url ${url}
  claude mcp add --transport http notes ${url}

Or paste into another terminal:

MCP=${url}
ACCEPT='accept: application/json, text/event-stream'
TOKEN=${token}

curl -i ${new URL(url).origin}/.well-known/oauth-protected-resource${new URL(url).pathname}   # 200
curl -i $MCP -H "$ACCEPT" --json ${call('list-notes')}   # 401: names the metadata
${SESSIONS === undefined
? `curl -i $MCP -H "$ACCEPT" --json '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'   # 200: everybody may see the tools
curl -i $MCP -H "$ACCEPT" -H "Authorization: Bearer $TOKEN" --json ${call('list-notes')}   # 200
`
: ''}curl -i $MCP -H "$ACCEPT" -H "Authorization: Bearer $TOKEN" --json ${call('write-note')}   # 403: asks for another scope

Ctrl+C ends it.`)

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
