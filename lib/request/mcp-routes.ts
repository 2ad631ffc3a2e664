import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Guard } from '../access/route-guard.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { McpHooks, McpParts } from './mcp-hooks.js'

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Adds the hooks of routes with `config.mcp`. Nothing of them is loaded, and no other route has a hook more, without such a route. */
export class McpRoutes {
  readonly #parts: McpParts & { log: StartLog }
  #hooks: McpHooks | undefined
  #isUsed = false

  constructor (parts: McpParts & { log: StartLog }) {
    this.#parts = parts
  }

  /**
   * The check of tools runs before the route's own preHandler hooks, and again before the handler if one of them has changed the
   * body.
   */
  add (route: RouteOptions, guard: Guard): void {
    if (guard.mcp === undefined) return
    this.#isUsed = true
    route.onRequest = withFirst(this.#setAuth, route.onRequest as Hook | Hook[])
    if (guard.mcp.tools === undefined) return
    const own = withFirst(this.#check, route.preHandler as Hook | Hook[])
    route.preHandler = own.length === 1 || own.at(-1) === this.#checkAgain ? own : [...own, this.#checkAgain]
  }

  /** To be called before the first request. */
  async load (): Promise<void> {
    if (!this.#isUsed) return
    const { log, ...parts } = this.#parts
    if (parts.resource === undefined) log.warn({ code: 'mcp_without_resource' }, 'routes have config.mcp, and the option resource is not set: MCP clients find Keycloak only by the document that this option serves. Set resource to the URL of the MCP server, such as https://api.example.com/mcp')
    const { McpHooks } = await import('./mcp-hooks.js')
    this.#hooks = new McpHooks(parts)
  }

  readonly #setAuth: Hook = async (request) => this.#hooks!.setAuth(request)
  readonly #check: Hook = async (request, reply) => this.#hooks!.check(request, reply)
  readonly #checkAgain: Hook = async (request, reply) => this.#hooks!.check(request, reply)
}

/** Fastify shows the route of a prefix twice, with and without a slash at its end, by the same options. */
function withFirst (hook: Hook, hooks: Hook | Hook[] | undefined): Hook[] {
  const own = hooks === undefined ? [] : [hooks].flat()
  return own[0] === hook ? own : [hook, ...own]
}
