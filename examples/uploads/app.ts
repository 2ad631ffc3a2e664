import multipart from '@fastify/multipart'
import Fastify, { type FastifyRequest } from 'fastify'
import keycloak, { bearerToken, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { closeUnread } from './connection.js'
import { Files } from './files.js'

declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    user: { id: string, username: string }
  }
}

export interface UploadOptions {
  /** Where the files go. */
  folder: string
  /** The largest file, in bytes. */
  fileSize?: number
  /** How long a client may go on sending after it was refused, in milliseconds. */
  linger?: number
}

/** An API that takes files of those who may bring some. */
export async function buildApp (options: KeycloakOptions, { folder, fileSize = 100 * 2 ** 20, linger = 1000 }: UploadOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await app.register(keycloak, { ...options, userIdField: 'id', userIdClaim: 'sub' })
  // Fastify's bodyLimit does not count for multipart, these do.
  await app.register(multipart, { limits: { fileSize, files: 1, fields: 10, fieldSize: 10_000, parts: 11 } })
  closeUnread(app, linger)

  const files = new Files(folder)

  app.get('/files', { config: { authenticated: true } }, async ({ user }) => files.of(user.id))

  // Who may not is refused before a byte of the body is read. Whose token expires meanwhile may finish: it was good when
  // the request came.
  app.post('/files', { config: { permission: 'upload' } }, async (request, reply) => {
    return reply.code(201).send(await files.receive(await fileOf(request), request.user.id))
  })

  // Where the end of a long upload counts as well, ask again before anything is kept. It throws 401 for a token that has
  // expired, was logged out, or whose key has left the realm, and with introspection for a user who was disabled.
  app.post('/contracts', { config: { permission: 'upload' } }, async (request, reply) => {
    const stillGood = () => app.keycloak.verify(bearerToken(request)!)
    return reply.code(201).send(await files.receive(await fileOf(request), request.user.id, stillGood))
  })

  async function fileOf (request: FastifyRequest) {
    const part = await request.file()
    if (part === undefined) throw Object.assign(new Error('The form has no file.'), { statusCode: 400 })
    return part
  }

  return app
}
