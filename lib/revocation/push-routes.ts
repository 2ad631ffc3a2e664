import type { IncomingMessage } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Closing } from '../keycloak/closing.js'
import { KeycloakError, notValid, unavailable } from '../errors.js'
import { readBody } from './body.js'
import { causeOf, type PendingCall } from './push.js'
import type { Inbox } from './push-receiver.js'
import type { Patience } from './patience.js'
import type { WaitingRoom } from './waiting-room.js'
import type { Warnings } from '../diagnostics/rate-limited-log.js'

/** What all routes have in common. */
export interface RouteOptions {
  room: WaitingRoom
  patience: Patience
  warnings: Warnings
  closing: Closing
}

/** A POST route for one kind of call. */
export interface CallRoute {
  url: string
  contentType: string
  /** From the body to the token. */
  tokenOf: (body: string) => string
  inbox: Inbox
}

/** What failed before anybody could vouch for it. */
const UNPROVEN: PendingCall = Object.freeze({ proven: false, late: false })

/** In a scope of its own, so that its parsers meet those of the application nowhere. */
export async function addCallRoute (fastify: FastifyInstance, route: CallRoute, { room, patience, warnings, closing }: RouteOptions): Promise<void> {
  const { name } = route.inbox.kind
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(route.contentType, (_request: FastifyRequest, body: IncomingMessage) => readBody(body, room, closing))
    scope.setErrorHandler((error: FastifyError, request, reply) => refuse(error, UNPROVEN, request, reply))
    scope.post(route.url, {
      // Who calls is told by the signature of what is sent.
      config: { keycloak: false },
      schema: { hide: true } as FastifySchema
    }, async (request, reply) => answer(begin(request), request, reply))
  })

  /** In a function of its own: one that waits would keep the body as long. */
  function begin (request: FastifyRequest): ReturnType<Inbox['take']> {
    const { body } = request
    if (typeof body !== 'string') throw notValid('there is no body')
    request.body = undefined
    return route.inbox.take(route.tokenOf(body))
  }

  /** The answer comes in time; what is ordered is carried out all the same. */
  async function answer ({ call, done }: ReturnType<Inbox['take']>, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      await patience.wait(done, () => {
        call.late = true
        return unavailable('it is kept until its signature can be checked')
      })
    } catch (error) {
      return refuse(error as KeycloakError, call, request, reply)
    }
    closing.letGo(request, reply)
    return reply.header('cache-control', 'no-store').send()
  }

  /** Section 2.8 asks for 400 and an error as in RFC 6749 section 5.2. Of foreign errors, only the parser's are ours. */
  function refuse (error: FastifyError, call: PendingCall, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const ours = error instanceof KeycloakError
    if (!ours && !error.code?.startsWith('FST_ERR_CTP_')) throw error
    closing.letGo(request, reply)
    const reason = ours ? error.reason : `the body must be ${route.contentType}`
    const cause = call.late ? 'waiting' : causeOf(call, error as KeycloakError)
    reply.header('cache-control', 'no-store')
    if (error.code === 'keycloak_unavailable') {
      warnings.write(cause, `${name} ${cause === 'lost' ? 'is lost' : 'cannot be carried out at once'}: ${reason}`)
      // A connection kept alive would hold up a server that has begun to close meanwhile.
      if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
      return reply.code(503).header('retry-after', '1').send({ error: 'temporarily_unavailable', error_description: reason })
    }
    warnings.write(cause, `${name} was refused: ${reason}`)
    return reply.code(400).send({ error: 'invalid_request', error_description: reason })
  }
}
