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
import { greeting } from './greeting.js'
import { embedded, keycloakOf } from './issuer.js'

const { KEYCLOAK_ISSUER, PORT = '3000' } = process.env

const issuer = KEYCLOAK_ISSUER === undefined ? await embedded(process.env, origins) : keycloakOf(KEYCLOAK_ISSUER, process.env)
const app: FastifyInstance = await buildApp(issuer, origins)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })
console.log(greeting(await listen(), issuer))

/** What the demo's pages are called in a browser, once it listens. */
function origins (): string[] {
  const { port } = app.server.address() as AddressInfo
  return ['127.0.0.1', 'localhost'].map((host) => new URL(`http://${host}:${port}`).origin)
}

async function listen (): Promise<string> {
  try {
    return await app.listen({ port: Number(PORT), host: '127.0.0.1' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    console.error(`Port ${PORT} is taken: set another one, as in PORT=3001 npm start`)
    process.exit(1)
  }
}
