// `npm start`: an API on a realm in this process, and a page at `/` to look at it. In the environment:
//
//   PORT                     where it listens, on 127.0.0.1; default 3000
//   TOKEN_LIFESPAN           seconds that the embedded realm's tokens live; default 120
//   KEYCLOAK_ISSUER          a realm of a real Keycloak instead; the rest goes with it
//   KEYCLOAK_CLIENT_ID       the API's client there; default api
//   KEYCLOAK_CLIENT_SECRET   its secret, which switches introspection on
//   KEYCLOAK_AUDIENCE        the `aud` of tokens; default the client
//   KEYCLOAK_WEB_CLIENT_ID   the public client that the pages log in by; default web
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import { readEnvironment } from './environment.js'
import { greeting } from './greeting.js'
import { embedded, keycloakOf } from './issuer.js'

let app: FastifyInstance

try {
  await start()
} catch (error) {
  // Each of these is one sentence that names a variable or an option.
  console.error((error as Error).message)
  process.exit(1)
}

async function start (): Promise<void> {
  const environment = readEnvironment(process.env)
  const { port } = environment
  const issuer = environment.issuer === undefined ? await embedded(environment, origins) : keycloakOf(environment.issuer, environment)
  app = await buildApp(issuer, origins)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void app.close() })
  try {
    console.log(greeting(await app.listen({ port, host: '127.0.0.1' }), issuer))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is taken: set another one, as in PORT=3001 npm start`)
  }
}

/** What the demo's pages are called in a browser, once it listens. */
function origins (): string[] {
  const { port } = app.server.address() as AddressInfo
  return ['127.0.0.1', 'localhost'].map((host) => new URL(`http://${host}:${port}`).origin)
}
