import type { IncomingMessage } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Closing } from '../keycloak/closing.js'
import { KeycloakError, notValid, unavailable } from '../errors.js'
import type { MemoryBudget } from './memory-budget.js'
import type { PendingAnswers } from './pending-answers.js'
import { causeOf, type PendingCall } from './push.js'
import { readBody } from './push-body.js'
import type { Reception } from './push-receiver.js'
import type { RateLimitedLog } from '../diagnostics/rate-limited-log.js'
import { reasonFor } from '../reasons/reason.js'

/** The objects that all routes share. */
export interface PushRouteOptions {
  budget: MemoryBudget
  pending: PendingAnswers
  warnings: RateLimitedLog
  closing: Closing
}

/** The description of one route. */
export interface PushRouteSpec {
  url: string
  contentType: string
  /** Takes the token out of the body. */
  tokenOf: (body: string) => string
  /** The kind of push in words, for the log. */
  name: string
  /** @param realm the name of the issuer in the path, if the route has that parameter */
  receive: (token: string, realm: string | undefined) => Reception
}

/** The state of a push that failed before its signature was checked. */
const UNPROVEN: PendingCall = Object.freeze({ proven: false, late: false, issuer: undefined })

/** A POST route for one kind of push. */
export class PushRoute {
  readonly #spec: PushRouteSpec
  readonly #options: PushRouteOptions

  constructor (spec: PushRouteSpec, options: PushRouteOptions) {
    this.#spec = spec
    this.#options = options
  }

  /** Adds the route in a scope of its own, so that its parser and its error handler do not touch those of the application. */
  async add (fastify: FastifyInstance): Promise<void> {
    const { url, contentType } = this.#spec
    const { budget, closing } = this.#options
    await fastify.register(async (scope) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser(contentType, (_request: FastifyRequest, body: IncomingMessage) => readBody(body, budget, closing))
      scope.setErrorHandler((error: FastifyError, request, reply) => this.#refuse(error, UNPROVEN, request, reply))
      scope.post(url, {
        // The signature of the body tells who calls.
        config: { keycloak: false },
        schema: { hide: true } as FastifySchema
      }, async (request, reply) => this.#answer(this.#receive(request), request, reply))
    })
  }

  /** A function of its own, because an async function that waits would keep the body in memory as long. */
  #receive (request: FastifyRequest): Reception {
    const { body } = request
    if (typeof body !== 'string') throw notValid('push_body_missing')
    request.body = undefined
    const { realm } = request.params as { realm?: string }
    return this.#spec.receive(this.#spec.tokenOf(body), realm)
  }

  /** Answers in time. A push that needs longer is carried out after its answer. */
  async #answer ({ call, done }: Reception, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      await this.#options.pending.wait(done, () => {
        call.late = true
        return unavailable('push_waiting')
      })
    } catch (error) {
      return this.#refuse(error as KeycloakError, call, request, reply)
    }
    this.#options.closing.closeIfShuttingDown(request, reply)
    return reply.header('cache-control', 'no-store').send()
  }

  /**
   * OpenID Connect Back-Channel Logout 1.0 section 2.8 asks for 400 and an error as in RFC 6749 section 5.2. Errors that are
   * neither the package's nor those of Fastify's body parser belong to the application, and are thrown again.
   */
  #refuse (error: FastifyError, call: PendingCall, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { closing } = this.#options
    const warnings = call.issuer === undefined ? this.#options.warnings : this.#options.warnings.about(call.issuer)
    const { name, contentType } = this.#spec
    const isOurs = error instanceof KeycloakError
    if (!isOurs && !error.code?.startsWith('FST_ERR_CTP_')) throw error
    closing.closeIfShuttingDown(request, reply)
    const { reason, reasonCode } = isOurs ? error : reasonFor('push_body_other', { type: contentType })
    const cause = call.late ? 'waiting' : causeOf(call, error as KeycloakError)
    reply.header('cache-control', 'no-store')
    if (error.code === 'keycloak_unavailable') {
      warnings.write(cause, `${name} ${cause === 'lost' ? 'is lost' : 'cannot be carried out at once'}: ${reason}`, reasonCode)
      // A connection that is kept alive would hold up a server that has begun to close meanwhile.
      if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
      return reply.code(503).header('retry-after', '1').send({ error: 'temporarily_unavailable', error_description: reason })
    }
    warnings.write(cause, `${name} was refused: ${reason}`, reasonCode)
    return reply.code(400).send({ error: 'invalid_request', error_description: reason })
  }
}
