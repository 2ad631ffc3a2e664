// An API in a container, behind a proxy. compose.yaml has its environment.
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

const {
  KEYCLOAK_ISSUER, KEYCLOAK_SERVER_URL, KEYCLOAK_CLIENT_ID, KEYCLOAK_CLIENT_SECRET, KEYCLOAK_AUDIENCE, API_URL,
  HOST = '0.0.0.0', PORT = '3000'
} = process.env

const app = Fastify({
  logger: true,
  // Requests come from the proxy alone, whose address is of a private network; request.ip is then that of the client.
  trustProxy: ['loopback', 'uniquelocal'],
  // Bytes of all headers. The default is 16,384; a larger request is 431, before Fastify sees it.
  http: { maxHeaderSize: 49_152 }
})

await app.register(keycloak, {
  issuer: KEYCLOAK_ISSUER,
  serverUrl: KEYCLOAK_SERVER_URL,
  clientId: KEYCLOAK_CLIENT_ID,
  audience: KEYCLOAK_AUDIENCE,
  clientSecret: KEYCLOAK_CLIENT_SECRET,
  verifyTokensWithKeycloak: KEYCLOAK_CLIENT_SECRET !== undefined,
  userIdField: 'id',
  userIdClaim: 'sub',
  requireAuthentication: true,
  dpop: { url: API_URL },
  backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
  // Readiness waits for the keys, so the plugin fetches them without a request.
  jwks: { preload: 'warn' },
  // serverUrl is http:// to another container. The network of these containers is on one machine.
  acceptRisks: ['http_unencrypted']
})

app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
app.get('/live', { config: { keycloak: false } }, async () => ({ live: true }))
app.get('/ready', { config: { keycloak: false } }, async (request, reply) => {
  const { ok, keys } = app.keycloak.health()
  const ready = ok && keys.state !== 'not fetched yet'
  return reply.code(ready ? 200 : 503).send({ ready })
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
await app.listen({ host: HOST, port: Number(PORT) })
