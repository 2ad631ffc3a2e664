// Express without authentication.
import { once } from 'node:events'
import express from 'express'

export async function start ({ username }) {
  const app = express()
  app.get('/profile', (request, response) => { response.json({ hello: username }) })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
