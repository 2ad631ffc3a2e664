import type { Client, Pool } from 'undici'
import type { UndiciDispatcher } from '../../types/options.js'
import { MAX_UNDER_WAY } from './call-queue.js'
import type { Closing } from './closing.js'
import { Deadline } from '../util/deadline.js'
import type { Cancellation } from './cancellation.js'
import { networkFailure, type FailureKind, unavailable, UnavailableError } from '../errors.js'
import { type Response, type ResponseRules, ResponseHandler } from './response-handler.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { reasonFor } from '../reasons/reason.js'

/** Where Keycloak is, and how to reach it. */
export interface KeycloakClientOptions {
  /** The realm's URL, without a slash at its end. */
  baseUrl: string
  dispatcher?: UndiciDispatcher
  verifyCertificate: boolean
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
}

/** One call below the realm's URL. */
export interface ClientRequest extends ResponseRules {
  method: 'GET' | 'POST'
  path: string
  /** Sent as application/x-www-form-urlencoded. */
  form?: string
  /** Deadline of the whole call, in milliseconds, or one that began with what came before it. */
  timeout: number | Deadline
  /** Who waits for the answer; without, somebody always does. */
  cancellation?: Cancellation
  /** Milliseconds of its time that were over before it could be made. */
  waited?: number
}

/** Connections to Keycloak at once: one for each introspection under way, and what keys and the check at start need beside them. */
const CONNECTIONS = MAX_UNDER_WAY + 4

/** The share of its time that a call may wait for a connection before a Keycloak that is late with it is not to blame. */
const WAITED = 0.1

/** Codes of undici, of HTTP/1 and HTTP/2, and of the system. */
const LOST = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE'])

/** How often a call is written whose connection is lost: on two of those that are kept, and on a new one. */
const TRIES = 3

const HEADERS = { accept: 'application/json', 'accept-encoding': 'identity' }
const WITH_FORM = { ...HEADERS, 'content-type': 'application/x-www-form-urlencoded' }

/** The pool of connections to Keycloak, and the calls over it, each with its deadline. */
export class KeycloakClient {
  readonly #origin: string
  readonly #path: string
  readonly #given: UndiciDispatcher | undefined
  readonly #connect: Pool.Options['connect']
  #pool: Pool | undefined
  /** Ends calls in flight. */
  readonly closing: Closing
  /** When a call last had an answer, on the monotonic clock. */
  #answeredAt = -Infinity

  constructor ({ baseUrl, dispatcher, verifyCertificate, ca }: KeycloakClientOptions, closing: Closing) {
    this.closing = closing
    const { origin, pathname } = new URL(baseUrl)
    this.#origin = origin
    // A realm at the root of its host has the path `/`.
    this.#path = pathname.replace(/\/$/, '')
    this.#given = dispatcher
    this.#connect = { rejectUnauthorized: verifyCertificate, ca: ca as string | Buffer | Array<string | Buffer> | undefined }
  }

  /**
   * @returns the body of a 200
   * @throws {KeycloakError} keycloak_unavailable for everything else
   */
  async fetchText (call: ClientRequest): Promise<string> {
    return (await this.fetch(call)).body
  }

  /** The same, with status and headers. */
  async fetch (call: ClientRequest): Promise<Response> {
    // Whoever asks now would open a connection that nobody ends.
    if (this.closing.over) throw unavailable('api_closed', 'local')
    let over: UnavailableError | undefined
    let handler: ResponseHandler | undefined
    const end = (error: UnavailableError): void => {
      over ??= error
      handler?.end(over)
    }
    // A timer of our own: undici's count idle time alone, and nothing of it reaches a connection being made.
    const deadline = typeof call.timeout === 'number' ? new Deadline(call.timeout) : call.timeout
    deadline.onPassed(() => end(unavailable(reasonFor('no_answer', { milliseconds: deadline.milliseconds }), this.#blame(call, deadline, handler))))
    this.closing.add(end)
    call.cancellation?.onCancel((why) => {
      // Which is what happens to each in the end: an error costs something to make.
      if (this.closing.has(end)) end(unavailable(why, 'local'))
    })
    const attempt = async (isLast = false): Promise<Response> => {
      const dispatcher = this.#given ?? (isLast ? await this.#fresh() : this.#pool ?? await this.#load())
      if (over !== undefined) throw over
      handler = new ResponseHandler(call)
      this.#dispatch(dispatcher, call, handler)
      return handler.response
    }
    // Keycloak closes idle connections, and may do so just as we write. Another one can be as old, a new one cannot.
    const again = (triesLeft: number) => (error: unknown): Promise<Response> => {
      if (triesLeft === 0 || !isLostConnection(error)) throw error
      return attempt(triesLeft === 1).catch(again(triesLeft - 1))
    }
    const done = (): void => {
      if (deadline !== call.timeout) deadline.clear()
      this.closing.delete(end)
    }
    try {
      const response = await attempt().catch(again(TRIES - 1))
      done()
      this.#answeredAt = monotonicMilliseconds()
      return response
    } catch (error) {
      done()
      throw asUnavailable(error)
    }
  }

  /**
   * A call that had to wait for its turn, or for a connection of the dispatcher that was given, may have had little time:
   * as long as Keycloak answers others, it is not to blame.
   */
  #blame ({ waited = 0 }: ClientRequest, { began, milliseconds }: Deadline, handler: ResponseHandler | undefined): FailureKind {
    const late = this.#given === undefined ? waited : (handler?.writtenAt ?? Infinity) - began
    const answers = monotonicMilliseconds() - this.#answeredAt < milliseconds / 2
    return late > WAITED * milliseconds && answers ? 'local' : 'unreachable'
  }

  /** End the pool; a dispatcher that was given stays the giver's. */
  async close (): Promise<void> {
    await this.#pool?.destroy()
  }

  /** At the first call, since it takes longer to load than all the rest. */
  async #load (): Promise<Pool> {
    // By its file, since Bun has a stub of its own for the bare name, whose pool makes no calls.
    const { Pool } = await import('undici/index.js')
    this.#pool ??= new Pool(this.#origin, { connections: CONNECTIONS, connect: this.#connect })
    return this.#pool
  }

  /** A connection for one call, which cannot have been idle. */
  async #fresh (): Promise<Client> {
    const { Client } = await import('undici/index.js')
    const client = new Client(this.#origin, { connect: this.#connect })
    // Once its call is over.
    client.on('drain', () => client.destroy())
    return client
  }

  #dispatch (dispatcher: UndiciDispatcher, { method, path, form }: ClientRequest, handler: ResponseHandler): void {
    dispatcher.dispatch({
      origin: this.#origin,
      path: this.#path + path,
      method,
      headers: form === undefined ? HEADERS : WITH_FORM,
      body: form ?? null
    }, handler)
  }
}

function isLostConnection (error: unknown): boolean {
  return LOST.has((error as { code?: unknown } | undefined)?.code)
}

function asUnavailable (error: unknown): UnavailableError {
  return error instanceof UnavailableError ? error : unavailable(networkFailure(error), 'unreachable')
}
