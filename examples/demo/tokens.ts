import type { FastifyInstance } from 'fastify'
import type { TestRealm } from '../../lib/testing/index.js'
import { PARTNERS, USERS } from './people.js'

const people = new Map(Object.entries(USERS))

/** What a login would give, for the curl lines: for a demo on loopback, never for an API. */
export function addTokens (app: FastifyInstance, realm: TestRealm, partners: TestRealm): void {
  app.get('/token/:username', { schema: { hide: true }, config: { keycloak: false } }, async (request, reply) => {
    const { username } = request.params as { username: string }
    if (Object.hasOwn(PARTNERS, username)) return partners.token({ username })
    const user = people.get(username)
    return user === undefined ? reply.callNotFound() : realm.token({ username, roles: user.roles })
  })
}
