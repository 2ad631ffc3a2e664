import { AsyncResource } from 'node:async_hooks'

const resource = new AsyncResource('fastify-keycloak-bearer.background')

/**
 * Calls a function in the context of no request. A timer keeps the context that it is set in: a request, which it would hold for
 * minutes, and a trace that has ended.
 */
export function outsideRequests<Result> (call: () => Result): Result {
  return resource.runInAsyncScope(call)
}
