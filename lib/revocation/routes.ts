import type { IncomingMessage } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Closing } from '../closing.js'
import { KeycloakError, notValid, unavailable } from '../errors.js'
import { readBody } from './body.js'
import type { Inbox } from './inbox.js'
import type { Warnings } from './warnings.js'
import { within } from '../within.js'

/** A POST route for one kind of call. */
export interface CallRoute {
  url: string
  contentType: string
  /** From the body to the token. */
  tokenOf: (body: string) => string
  inbox: Inbox
}

/** Milliseconds that Keycloak waits for an answer, less what the way takes: its own limit is 5000. */
const PATIENCE = 4000

/** OpenID Connect Back-Channel Logout 1.0 section 2.5: one member of a form. */
export function formToken (body: string): string {
  const [token, second] = new URLSearchParams(body).getAll('logout_token')
  if (token === undefined || second !== undefined) throw notValid('the form has other than one logout_token')
  return token
}

/** In a scope of its own, so that its parsers meet those of the application nowhere. */
export async function addCallRoute (fastify: FastifyInstance, route: CallRoute, warnings: Warnings, closing: Closing): Promise<void> {
  const { name } = route.inbox.kind
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(route.contentType, (_request: FastifyRequest, body: IncomingMessage) => readBody(body, closing))
    scope.setErrorHandler((error: FastifyError, request, reply) => refuse(error, request, reply))
    scope.post(route.url, {
      // Who calls is told by the signature of what is sent.
      config: { keycloak: false },
      schema: { hide: true } as FastifySchema
    }, (request, reply) => take(request, reply))
  })

  async function take (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (typeof request.body !== 'string') throw notValid('there is no body')
    await answerInTime(route.inbox.take(route.tokenOf(request.body)), request)
    closing.letGo(request, reply)
    return reply.header('cache-control', 'no-store').send()
  }

  /** The answer comes in time; what is ordered is carried out all the same. */
  async function answerInTime (carriedOut: Promise<void>, { log }: FastifyRequest): Promise<void> {
    const late = unavailable('it is kept until its signature can be checked')
    try {
      await within(carriedOut, PATIENCE, () => late)
    } catch (error) {
      if (error === late) {
        carriedOut.then(
          () => log.info(`${name} that had to wait is carried out now`),
          ({ reason }: KeycloakError) => warnings.write(`${name} that had to wait is lost: ${reason}`))
      }
      throw error
    }
  }

  /** Section 2.8 asks for 400 and an error as in RFC 6749 section 5.2. Of foreign errors, only the parser's are ours. */
  function refuse (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const ours = error instanceof KeycloakError
    if (!ours && !error.code?.startsWith('FST_ERR_CTP_')) throw error
    closing.letGo(request, reply)
    const reason = ours ? error.reason : `the body must be ${route.contentType}`
    reply.header('cache-control', 'no-store')
    if (error.code === 'keycloak_unavailable') {
      warnings.write(`${name} cannot be carried out at once: ${reason}`)
      // A connection kept alive would hold up a server that has begun to close meanwhile.
      if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
      return reply.code(503).header('retry-after', '1').send({ error: 'temporarily_unavailable', error_description: reason })
    }
    warnings.write(`${name} was refused: ${reason}`)
    return reply.code(400).send({ error: 'invalid_request', error_description: reason })
  }
}
