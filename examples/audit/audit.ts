// An audit log: one JSON line for each decision on a request. Register it before fastify-keycloak-bearer.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { AuthenticationEvent, AuthorizationEvent } from 'fastify-keycloak-bearer'
import fp from 'fastify-plugin'

export interface AuditOptions {
  /** Takes a line with its line break. It must not throw, and must not wait. */
  write: (line: string) => void
}

/** The longest path in a line: strangers write it. */
const MAX_PATH = 1000

export default fp<AuditOptions>(async (app, { write }) => {
  const requests = new AsyncLocalStorage<FastifyRequest>()
  // The plugin decides within this call, so its events find the request.
  app.addHook('onRequest', (request, _reply, done) => requests.run(request, done))

  const audit = (decision: string, event: AuthenticationEvent | AuthorizationEvent): void => {
    const request = requests.getStore()
    // A request of another application in this process, or a token of none.
    if (request === undefined) return
    const line = { time: new Date().toISOString(), decision, ...callerOf(request), ...event, request: request.id, ip: request.ip, path: pathOf(request) }
    write(JSON.stringify(line) + '\n')
  }
  const onAuthentication = (message: unknown): void => {
    const event = message as AuthenticationEvent
    if (event.outcome !== 'anonymous') audit('authentication', event)
  }
  const onAuthorization = (message: unknown): void => audit('authorization', message as AuthorizationEvent)
  subscribe('fastify-keycloak-bearer:authentication', onAuthentication)
  subscribe('fastify-keycloak-bearer:authorization', onAuthorization)
  app.addHook('onClose', async () => {
    unsubscribe('fastify-keycloak-bearer:authentication', onAuthentication)
    unsubscribe('fastify-keycloak-bearer:authorization', onAuthorization)
  })
}, { name: 'audit' })

/** The caller of an accepted request: these claims are verified. A refused token names nobody. */
function callerOf ({ auth }: FastifyRequest): Pick<AuthorizationEvent, 'sub' | 'azp'> {
  return { sub: auth?.sub ?? null, azp: auth?.azp ?? null }
}

/** Without the query, which can hold secrets. */
function pathOf ({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!.slice(0, MAX_PATH)
}
