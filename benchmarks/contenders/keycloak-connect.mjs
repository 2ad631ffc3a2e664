// As in Keycloak's guide to the adapter: a bearer-only client, and protect() with a role of it.
import { once } from 'node:events'
import express from 'express'
import Keycloak from 'keycloak-connect'

export async function start ({ issuer, clientId }) {
  const [serverUrl, realm] = issuer.split('/realms/')
  const keycloak = new Keycloak({}, {
    realm,
    resource: clientId,
    'auth-server-url': serverUrl,
    'bearer-only': true,
    'verify-token-audience': true
  })
  const app = express()
  app.use(keycloak.middleware())
  app.get('/profile', keycloak.protect('read-profile'), (request, response) => {
    response.json({ hello: request.kauth.grant.access_token.content.preferred_username })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
