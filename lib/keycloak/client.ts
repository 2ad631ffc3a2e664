import type { Dispatcher } from 'undici'
import type { UpstreamEvent } from '../../types/events.js'
import type { UndiciDispatcher } from '../../types/options.js'
import { upstream } from '../diagnostics/channels.js'
import { traced } from '../diagnostics/traced.js'
import type { Closing } from './closing.js'
import { Deadline } from '../util/deadline.js'
import type { Cancellation } from './cancellation.js'
import { type ConnectionCertificate, Connections } from './connections.js'
import { networkFailure, type FailureKind, unavailable, UnavailableError } from '../errors.js'
import { RequestAttempts } from './request-attempts.js'
import type { Response, ResponseRules } from './response-handler.js'
import { withoutPrototype } from '../util/members.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { type KeycloakReasonCode, reasonFor } from '../reasons/reason.js'

/** The address of Keycloak, and the way to reach it. */
export interface KeycloakClientOptions {
  /** The name of the issuer. */
  name: string
  /** The realm's URL, without a slash at its end. */
  baseUrl: string
  dispatcher?: UndiciDispatcher
  verifyCertificate: boolean
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
}

/** One request below the realm's URL. */
export interface ClientRequest extends ResponseRules {
  method: 'GET' | 'POST'
  path: string
  /** Sent as application/x-www-form-urlencoded. */
  form?: string
  /** The access token of this API's client, for the header Authorization. */
  token?: string
  /** Milliseconds for the whole request, or a deadline that began with an earlier step. */
  timeout: number | Deadline
  /** Ends the request when nobody waits for its response; without, somebody always does. */
  cancellation?: Cancellation
  /** Milliseconds of its time that it waited for a connection. */
  waited?: number
}

/** The share of its time for which a request may wait for a connection while Keycloak is to blame for a late response. */
const WAITED = 0.1

/** The reasons of a connection that Keycloak may have ended for the client's certificate: with TLS 1.3, it ends it without a word. */
const CERTIFICATE_REFUSED: ReadonlySet<KeycloakReasonCode> = new Set(['tls_refused', 'connection_lost'])

const HEADERS = { accept: 'application/json', 'accept-encoding': 'identity' }
const WITH_FORM = { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' }

/** The connections to Keycloak, and the requests over them, each with its deadline. */
export class KeycloakClient {
  readonly #origin: string
  readonly #path: string
  /** The name of the issuer. */
  readonly issuer: string
  readonly #given: UndiciDispatcher | undefined
  readonly #certificate: ConnectionCertificate | undefined
  readonly #connections: Connections
  /** Ends requests under way. */
  readonly closing: Closing
  /** The moment of the last response, in milliseconds of the monotonic clock. */
  #answeredAt = -Infinity
  #isClosed = false

  /** @param certificate absent if connections have none, or those of a dispatcher */
  constructor ({ name, baseUrl, dispatcher, verifyCertificate, ca }: KeycloakClientOptions, closing: Closing, certificate?: ConnectionCertificate) {
    this.closing = closing
    this.issuer = name
    const { origin, pathname } = new URL(baseUrl)
    this.#origin = origin
    // A realm at the root of its host has the path `/`.
    this.#path = pathname.replace(/\/$/, '')
    this.#given = dispatcher
    this.#certificate = certificate
    this.#connections = new Connections(origin, { rejectUnauthorized: verifyCertificate, ca: ca as string | Buffer | Array<string | Buffer> | undefined })
  }

  /**
   * @returns the body of a response of status 200
   * @throws {KeycloakError} keycloak_unavailable for everything else
   */
  async fetchText (request: ClientRequest): Promise<string> {
    return (await this.fetch(request)).body
  }

  /**
   * The same, with status and headers.
   * @throws {KeycloakError} keycloak_unavailable
   */
  fetch (given: ClientRequest): Promise<Response> {
    // No member of a polluted Object.prototype belongs to a request.
    const request = withoutPrototype(given)
    if (!upstream.hasSubscribers) return this.#fetch(request)
    return traced(upstream, this.#eventOf(request), () => this.#fetch(request), (event, { status }) => { event.statusCode = status })
  }

  #eventOf ({ method, path }: ClientRequest): UpstreamEvent {
    const [plainPath] = path.split('?', 1)
    return { issuer: this.issuer, endpoint: endpointOf(plainPath!), method, url: this.#origin + this.#path + plainPath }
  }

  async #fetch (request: ClientRequest): Promise<Response> {
    // A request that came now would open a connection that nobody ends.
    if (this.closing.over || this.#isClosed) throw unavailable('api_closed', 'local')
    // A timer of our own: undici's count idle time alone, and none of them covers a connection that is being made.
    const deadline = typeof request.timeout === 'number' ? new Deadline(request.timeout) : request.timeout
    try {
      const response = await (this.#certificate === undefined ? this.#send(request, deadline) : this.#sendWith(this.#certificate, request, deadline))
      this.#answeredAt = monotonicMilliseconds()
      return response
    } finally {
      if (deadline !== request.timeout) deadline.clear()
    }
  }

  async #sendWith (certificate: ConnectionCertificate, request: ClientRequest, deadline: Deadline): Promise<Response> {
    const pair = await certificate.pairFor(deadline)
    this.#connections.use(pair)
    try {
      return await this.#send(request, deadline)
    } catch (error) {
      if (CERTIFICATE_REFUSED.has((error as UnavailableError).reasonCode)) certificate.doubt(pair)
      throw error
    }
  }

  async #send (request: ClientRequest, deadline: Deadline): Promise<Response> {
    const attempts = new RequestAttempts(this.#dispatchOptions(request), request, (isLast) => this.#given ?? this.#connections.dispatcher(isLast))
    const end = (error: UnavailableError): void => attempts.end(error)
    deadline.onPassed(() => end(unavailable(reasonFor('no_answer', { milliseconds: deadline.milliseconds }), this.#failureKind(request, deadline, attempts))))
    this.closing.add(end)
    request.cancellation?.onCancel((why) => {
      // Each request is cancelled in the end, most of them long after their response: an error costs something to make.
      if (this.closing.has(end)) end(unavailable(why, 'local'))
    })
    return attempts.run().catch((error) => { throw attempts.ended ?? this.#failure(error) }).finally(() => this.closing.delete(end))
  }

  /**
   * The kind of a failure to respond in time. A request that had to wait for a connection, of this client or of the
   * dispatcher that was given, may have had little time: as long as Keycloak answers others, it is not to blame.
   */
  #failureKind ({ waited = 0 }: ClientRequest, { began, milliseconds }: Deadline, { writtenAt = Infinity }: RequestAttempts): FailureKind {
    const late = this.#given === undefined ? waited : writtenAt - began
    const answers = monotonicMilliseconds() - this.#answeredAt < milliseconds / 2
    return late > WAITED * milliseconds && answers ? 'local' : 'unreachable'
  }

  /** End the pool; a dispatcher that was given stays the giver's. Requests under way fail, which says nothing about Keycloak. */
  async close (): Promise<void> {
    this.#isClosed = true
    await this.#connections.close()
  }

  #failure (error: unknown): UnavailableError {
    if (error instanceof UnavailableError) return error
    return this.#isClosed ? unavailable('api_closed', 'local') : unavailable(networkFailure(error), 'unreachable')
  }

  #dispatchOptions ({ method, path, form, token }: ClientRequest): Dispatcher.DispatchOptions {
    return {
      origin: this.#origin,
      path: this.#path + path,
      method,
      headers: form !== undefined ? WITH_FORM : token !== undefined ? { ...HEADERS, authorization: `Bearer ${token}` } : HEADERS,
      body: form ?? null
    }
  }
}

/** The name of an endpoint: `certs` of `/protocol/openid-connect/certs`. */
function endpointOf (path: string): string {
  return path.replace(/^\/(?:protocol\/openid-connect\/|\.well-known\/|(?=authz\/))/, '')
}
