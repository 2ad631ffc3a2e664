// As in its README, with claimCheck for the role.
import { once } from 'node:events'
import express from 'express'
import { auth, claimCheck } from 'express-oauth2-jwt-bearer'

export async function start ({ issuer, clientId }) {
  const app = express()
  app.use(auth({ issuerBaseURL: issuer, audience: clientId }))
  const mayView = claimCheck((claims) => claims.resource_access?.[clientId]?.roles?.includes('read-profile') === true)
  app.get('/profile', mayView, (request, response) => { response.json({ hello: request.auth.payload.preferred_username }) })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
