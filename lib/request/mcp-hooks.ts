import type { FastifyReply, FastifyRequest } from 'fastify'
import type { McpAuthInfo } from '../../types/mcp.js'
import type { Claims } from '../../types/user.js'
import { publishAuthorization } from '../access/authorization-events.js'
import { Caller } from '../access/caller.js'
import { addAskedScopes } from '../access/asked-scopes.js'
import { authorize } from '../access/route-authorization.js'
import type { Routes } from '../access/route-registry.js'
import { inWords, type ToolGuard } from '../access/tool-guards.js'
import { authorization } from '../diagnostics/channels.js'
import { outcomeOf, plainOutcome } from '../diagnostics/event-fields.js'
import { isRefusal, refusal } from '../errors.js'
import { authInfoOf } from '../metadata/auth-info.js'
import { toolsCalled } from '../metadata/tool-calls.js'
import type { RealmDirectory } from '../realm/directory.js'
import { realmOf } from '../realm/realm.js'
import { type AcceptedRequest, endOf, IDENTITY } from './auth-signals.js'
import { presentedToken } from './presented-token.js'
import type { Refusals } from './refusals.js'

/** The answer to a body that is no JSON-RPC message, as the SDK's transports give it (JSON-RPC 2.0 section 5.1). */
const INVALID = { jsonrpc: '2.0', error: { code: -32600, message: 'Invalid Request: the body must be a JSON-RPC message, or a batch of them' }, id: null }

/** The property of a request that holds the calls that were checked. */
const CHECKED = Symbol('fastify-keycloak-bearer.checked-calls')

type McpRequest = AcceptedRequest & { [CHECKED]?: string }

/** The parts of the plugin that the hooks need. */
export interface McpParts {
  routes: Routes
  refusals: Refusals
  directory: Pick<RealmDirectory, 'isOpen'>
  /** The option `resource`. */
  resource: string | undefined
}

/** The hooks of routes with `config.mcp`. */
export class McpHooks {
  readonly #parts: McpParts

  constructor (parts: McpParts) {
    this.#parts = parts
  }

  /** Sets `request.raw.auth`. For an anonymous request nothing is left there that something else may have set. */
  setAuth (request: FastifyRequest): void {
    const raw = request.raw as FastifyRequest['raw'] & { auth?: McpAuthInfo | undefined }
    raw.auth = request.auth === null ? undefined : authInfoOf(presentedToken(request)!, request.auth as Claims, request.user!, this.#parts.resource)
  }

  /**
   * Lets a request pass whose caller may call each of its tools.
   * @throws {KeycloakError} not_authenticated, permission_denied, insufficient_user_authentication; token_expired, token_not_valid if
   *   the token has ended while the body came
   */
  async check (request: McpRequest, reply: FastifyReply): Promise<unknown> {
    try {
      return await this.#check(request, reply)
    } catch (error) {
      if (isRefusal(error)) this.#parts.refusals.ofRequest(error, request)
      throw error
    }
  }

  async #check (request: McpRequest, reply: FastifyReply): Promise<unknown> {
    const ended = request[IDENTITY] && endOf(request[IDENTITY], this.#parts.directory)
    if (ended) throw ended
    const called = toolsCalled(request.method, request.body)
    if (called === undefined) return reply.code(400).send(INVALID)
    const calls = JSON.stringify([...called])
    if (request[CHECKED] === calls) return undefined
    const { tools } = this.#parts.routes.of(request).mcp!
    const guards = new Set(Array.from(called, (name) => tools!.of(name)).flat())
    // A client asks for the scopes of a challenge alone, so that it needs those of all tools of a batch at once.
    const asked = addAskedScopes(request, Array.from(guards, ({ guard }) => guard.askedScopes).flat())
    for (const tool of guards) await this.#authorize(request, tool, asked)
    request[CHECKED] = calls
    return undefined
  }

  async #authorize (request: McpRequest, { name, guard }: ToolGuard, askedScopes: readonly string[]): Promise<void> {
    if (guard.access === 'optional') return
    const identity = request[IDENTITY]
    if (identity === undefined) throw refusal('not_authenticated', 'token_missing')
    const caller = new Caller(realmOf(identity).access, identity, request)
    const question = { source: 'route', rule: `tool ${name}: ${inWords(guard)}` } as const
    try {
      await authorize(caller, { ...guard, askedScopes })
      if (authorization.hasSubscribers) publishAuthorization(question, caller, plainOutcome('allowed'))
    } catch (error) {
      if (authorization.hasSubscribers) publishAuthorization(question, caller, outcomeOf(error, 'denied'))
      throw error
    }
  }
}
