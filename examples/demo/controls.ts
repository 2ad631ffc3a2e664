import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TestRealm } from '../../lib/testing/index.js'

type State = 'up' | 'down' | 'hanging' | 'failing'

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/** The page's buttons: POST /controls/down and its like do to the embedded realm what can happen to a Keycloak. */
export function addControls (app: FastifyInstance, realm: TestRealm, origins: () => string[]): void {
  let state: State = 'up'
  const actions: Readonly<Record<string, () => void | Promise<void>>> = {
    rotate: () => realm.rotateKeys(),
    async down () {
      await realm.down()
      state = 'down'
    },
    async hang () {
      await realm.up()
      realm.hang()
      state = 'hanging'
    },
    async fail () {
      await realm.up()
      realm.error()
      state = 'failing'
    },
    async up () {
      await realm.up()
      state = 'up'
    }
  }
  // Open to the plugin: they are not the API's, and the issuer that would vouch for a token may be down.
  const route = { schema: { hide: true }, config: { keycloak: false } } as const
  app.get('/controls', route, async () => ({ state }))
  app.post('/controls/:action', { ...route, onRequest: (request, reply, done) => refuseOthers(request, reply, origins(), done) }, async (request, reply) => {
    const { action } = request.params as { action: string }
    if (!Object.hasOwn(actions, action)) return reply.callNotFound()
    await actions[action]!()
    return { state }
  })
}

/**
 * Any page of the web can send a POST to this machine; its browser says whose page it was. What does not come from our
 * own, by the name we have, is refused: a name that somebody else points at 127.0.0.1 as well.
 */
function refuseOthers ({ headers, socket }: FastifyRequest, reply: FastifyReply, origins: string[], done: () => void): void {
  const site = headers['sec-fetch-site'] ?? 'same-origin'
  if (origins.includes(headers.origin ?? '') && site === 'same-origin' && LOOPBACK.test(socket.remoteAddress ?? '')) return done()
  reply.code(403).send({ statusCode: 403, code: 'cross_site', error: 'Forbidden', message: 'The buttons of the page alone may do this.' })
}
