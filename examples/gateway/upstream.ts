import type { FastifyHttpProxyOptions } from '@fastify/http-proxy'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { clientSide, endWithToken, upstreamSide } from './connection.js'
import { clientHeaders, requireSubject, upstreamHeaders } from './headers.js'

export interface Upstream {
  /** The path at the gateway, and at the upstream. */
  prefix: string
  /** The origin of the service. */
  upstream: string
  /** Who may call. Without a rule of its own a route would let CORS preflights pass to the upstream. */
  config: FastifyContextConfig
  /** Does it take WebSockets? */
  websocket?: boolean
  /** Does it get the caller's own token, to check it itself? Then it can use the token too, wherever the token is good. */
  forwardToken?: boolean
}

/** What @fastify/reply-from hands to `onResponse`; its types say something else. */
interface UpstreamResponse {
  statusCode: number
  headers: IncomingHttpHeaders
  stream: Readable
}

/** The options of @fastify/http-proxy for a service behind the gateway. */
export function proxyOptions ({ prefix, upstream, config, websocket = false, forwardToken = false }: Upstream): FastifyHttpProxyOptions {
  // The types of the package lack this option. By default the cookies of the client go upstream.
  const wsClientOptions: object = { ...upstreamSide, rewriteRequestHeaders: (_headers: object, request: FastifyRequest) => upstreamHeaders(request, {}, forwardToken) }
  const preHandler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    // All upgrades of the server come here; without an answer the connection of this one would stay open.
    if (request.headers.upgrade !== undefined && !websocket) throw failure(400, 'no_websocket', 'This path takes no WebSocket.')
    requireSubject(request)
    endWithToken(request, reply)
  }
  return {
    prefix,
    upstream,
    rewritePrefix: prefix,
    config,
    preHandler: preHandler as never,
    ...websocket && { websocket, wsClientOptions, wsServerOptions: clientSide },
    replyOptions: {
      rewriteRequestHeaders: (request, headers) => upstreamHeaders(request, headers, forwardToken),
      rewriteHeaders: (headers) => clientHeaders(headers),
      // By default a GET that is answered 503 is repeated ten times at once.
      retryDelay: () => null,
      onResponse (_request, reply, response) {
        const { statusCode, headers, stream } = response as unknown as UpstreamResponse
        // Of an upstream that did not get the token, 401 means the gateway. A client that got it would throw its good token away.
        if (statusCode !== 401 || forwardToken) return reply.send(stream)
        stream.resume()
        for (const name of Object.keys(clientHeaders(headers))) reply.removeHeader(name)
        reply.send(failure(502, 'upstream_refused', 'The service behind the gateway refused the gateway.'))
      },
      // The message of the error has the address of the upstream.
      onError (reply, { error }) {
        const isTimeout = (error as { statusCode?: number }).statusCode === 504
        reply.send(failure(isTimeout ? 504 : 502, 'upstream_unavailable', 'The service behind the gateway cannot be reached.'))
      }
    }
  }
}

function failure (statusCode: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { statusCode, code })
}
