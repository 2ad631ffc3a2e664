import type { FastifyRequest } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * The headers of clients that go upstream. A list of what passes, because nobody knows all names by which an upstream may take an
 * identity, an address or another method: x-user-id, X_User_Id, x-remote-user, client-cert, x-forwarded-for, x-http-method-override.
 */
const PASSED = new Set([
  'accept', 'accept-encoding', 'accept-language', 'access-control-request-headers', 'access-control-request-method', 'cache-control',
  'content-encoding', 'content-language', 'content-length', 'content-type', 'host', 'if-match', 'if-modified-since', 'if-none-match',
  'if-range', 'if-unmodified-since', 'last-event-id', 'origin', 'range', 'traceparent', 'tracestate', 'user-agent'
])

/** Headers that are meant for one connection (RFC 9110 section 7.6.1): the one between gateway and upstream is not the client's. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** The caller as the upstream gets it: JSON in base64url, because a name may have characters that a header must not have. */
export interface ForwardedCaller {
  id: string
  username: string
}

/** The members of a request that the headers are made of. */
type ProxiedRequest = Pick<FastifyRequest, 'auth' | 'headers' | 'host' | 'ip' | 'protocol' | 'user'>

/**
 * Refuses a caller whose token has no `sub`, as lightweight tokens have none: the upstream would get a caller without an id.
 * @throws {KeycloakError} `permission_denied`
 */
export function requireSubject ({ auth }: ProxiedRequest): void {
  if (auth !== null && !auth.sub) throw new KeycloakError('permission_denied', 'the token has no sub')
}

/** @param forwardToken does the upstream get the caller's own token too? */
export function upstreamHeaders (request: ProxiedRequest, headers: IncomingHttpHeaders, forwardToken: boolean): IncomingHttpHeaders {
  const passed = Object.entries(headers).filter(([name]) => PASSED.has(name))
  const { authorization } = request.headers
  return {
    ...Object.fromEntries(passed),
    ...request.user !== null && { 'x-caller': encoded({ id: request.auth!.sub!, username: request.user.username }) },
    ...forwardToken && authorization !== undefined && { authorization },
    'x-forwarded-for': request.ip,
    'x-forwarded-host': request.host,
    'x-forwarded-proto': request.protocol
  }
}

/** The headers of an upstream's answer that go to the client. */
export function clientHeaders (headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name)))
}

function encoded (caller: ForwardedCaller): string {
  return Buffer.from(JSON.stringify(caller)).toString('base64url')
}
