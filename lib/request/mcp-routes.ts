import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { failFor, nameOf } from '../access/route-config.js'
import type { Guard } from '../access/route-guard.js'
import { guardIn } from '../access/route-registry.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { McpHooks, McpParts } from './mcp-hooks.js'

const REMEDY = 'register what adds this hook before fastify-keycloak-bearer, or write the hooks into the route itself'

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Adds the hooks of routes with `config.mcp`. Nothing of them is loaded, and no other route has a hook more, without such a route. */
export class McpRoutes {
  readonly #parts: McpParts & { log: StartLog }
  readonly #added: RouteOptions[] = []
  #hooks: McpHooks | undefined

  constructor (parts: McpParts & { log: StartLog }) {
    this.#parts = parts
  }

  /**
   * The check of tools runs before the route's own preHandler hooks, and again before the handler if one of them has changed the
   * body.
   * @throws {TypeError} for rules of tools on a route for WebSocket
   */
  add (route: RouteOptions, guard: Guard): void {
    if (guard.mcp === undefined) return
    if (guard.mcp.tools !== undefined) refuseWebSocket(route)
    this.#added.push(route)
    route.onRequest = withFirst(this.#setAuth, hooksOf(route.onRequest))
    if (guard.mcp.tools === undefined) return
    const own = withFirst(this.#check, hooksOf(route.preHandler))
    route.preHandler = own.length === 1 || own.at(-1) === this.#checkAgain ? own : [...own, this.#checkAgain]
  }

  /**
   * To be called before the first request, when all routes have been added and their guards are settled.
   * @throws {TypeError} for a route of which a later onRoute hook has taken or displaced the hooks
   */
  async load (): Promise<void> {
    if (this.#added.length === 0) return
    for (const route of this.#added) this.#refuseChanged(route)
    const { log, ...parts } = this.#parts
    if (parts.resource === undefined) log.warn({ code: 'mcp_without_resource' }, 'routes have config.mcp, and the option resource is not set: MCP clients find Keycloak only by the document that this option serves. Set resource to the URL of the MCP server, such as https://api.example.com/mcp')
    const { McpHooks } = await import('./mcp-hooks.js')
    this.#hooks = new McpHooks(parts)
  }

  /** Nothing would check the tools of such a route. */
  #refuseChanged (route: RouteOptions): void {
    const fail = failFor(nameOf(route.method, route.url))
    if (!hooksOf(route.onRequest).includes(this.#setAuth)) fail(`an onRoute hook has replaced onRequest, so that request.raw.auth would not be set; ${REMEDY}`)
    if (guardIn(route.config)!.mcp!.tools === undefined) return
    refuseWebSocket(route)
    const hooks = hooksOf(route.preHandler)
    const last = hooks.length === 1 ? this.#check : this.#checkAgain
    if (hooks[0] !== this.#check || hooks.at(-1) !== last) fail(`an onRoute hook has changed preHandler, so that the check of tools would not be its first and its last hook; ${REMEDY}`)
  }

  readonly #setAuth: Hook = async (request) => this.#hooks!.setAuth(request)
  readonly #check: Hook = async (request, reply) => this.#hooks!.check(request, reply)
  readonly #checkAgain: Hook = async (request, reply) => this.#hooks!.check(request, reply)
}

/** @throws {TypeError} because the messages of a WebSocket are no bodies, so that nothing would check the tools that they call */
function refuseWebSocket (route: RouteOptions): void {
  const { websocket, wsHandler } = route as { websocket?: unknown, wsHandler?: unknown }
  if (websocket || wsHandler) failFor(nameOf(route.method, route.url))('config.mcp.tools has no effect on the messages of a WebSocket; write mcp: true, and check each call in the handler')
}

function hooksOf (hooks: unknown): Hook[] {
  return hooks === undefined ? [] : [hooks as Hook | Hook[]].flat()
}

/** A hook of the application may add a route with the options of another one, which have the hooks already. */
function withFirst (hook: Hook, own: Hook[]): Hook[] {
  return own[0] === hook ? own : [hook, ...own]
}
