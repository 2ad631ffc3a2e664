import type { FastifyReply, FastifyRequest } from 'fastify'
import { headersOf, isRefusal } from '../errors.js'

type OnErrorHook = (request: FastifyRequest, reply: FastifyReply, error: unknown, done: () => void) => void

/**
 * Fastify's onError hook: gives each refusal its status and its headers, also one that the application throws in a
 * handler. It runs before an error handler of the application, which may send a body alone, and then answers 401 all the same.
 * @param realm for the challenge of RFC 6750 section 3
 */
export function challenging (realm: string): OnErrorHook {
  return (_request, reply, error, done) => {
    if (isRefusal(error)) reply.code(error.statusCode).headers(headersOf(error, realm))
    done()
  }
}
