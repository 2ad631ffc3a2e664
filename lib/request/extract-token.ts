import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ExtractToken } from '../../types/options.js'
import type { StartLog } from '../diagnostics/start-log.js'
import { asynchronous, kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { keepToken, TOKEN } from './presented-token.js'

/** Members of a request that may hold a token, and the plugins whose hooks set them. */
const SET_BY = { cookies: '@fastify/cookie', session: '@fastify/session' }

type Member = keyof typeof SET_BY

const MEMBERS = Object.keys(SET_BY) as Member[]

/**
 * The application's `extractToken` with a check of its result, which the request keeps.
 * @returns a function that gives the token; `null` without one
 */
export function tokenExtractor (fastify: FastifyInstance, extractToken: ExtractToken): (request: FastifyRequest) => string | null {
  fastify.decorateRequest(TOKEN, null)
  return (request) => {
    let token: unknown
    try {
      token = extractToken(request)
    } catch (error) {
      throw explained(error, extractToken, request)
    }
    if (token === undefined || token === null || token === '') return null
    if (isThenable(token)) throw asynchronous(token, 'extractToken')
    if (typeof token !== 'string') throw new TypeError(`extractToken must return a string or null, not ${kindOf(token)}`)
    keepToken(request, token)
    return token
  }
}

/** The error of `extractToken`, explained if a member of the request is not set yet: `request.cookies.token` throws then. */
function explained (error: unknown, extractToken: ExtractToken, request: FastifyRequest): unknown {
  if (!(error instanceof TypeError)) return error
  const isRead = (name: Member): boolean => request.server.hasRequestDecorator(name) || String(extractToken).includes(name)
  const unset = MEMBERS.find((name) => (request as { [name in Member]?: unknown })[name] == null && isRead(name))
  if (unset === undefined) return error
  return new Error(`extractToken threw a TypeError, and request.${unset} is not set when it runs: ${cure(unset)}`, { cause: error })
}

/**
 * Warns of plugins that set a member of the request after `extractToken` has run: `request.cookies?.token` would not even
 * throw, and every caller would be anonymous.
 * @returns a function to call when all plugins are registered
 */
export function warnOfLateSetters (fastify: FastifyInstance, log: StartLog): () => void {
  const missing = MEMBERS.filter((name) => !fastify.hasRequestDecorator(name))
  return () => {
    for (const name of missing) {
      if (fastify.hasRequestDecorator(name)) log.warn({ code: 'token_source_late' }, `request.${name} is not set when extractToken runs: ${cure(name)}`)
    }
  }
}

function cure (name: Member): string {
  return `register ${SET_BY[name]} before fastify-keycloak-bearer, with await, and let it run in its default hook`
}
