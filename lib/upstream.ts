import type { Dispatcher, Pool } from 'undici'
import { unavailable, UnavailableError } from './errors.js'

/** Where Keycloak is, and how to reach it. */
export interface UpstreamOptions {
  /** The realm's URL, without a slash at its end. */
  baseUrl: string
  dispatcher?: Dispatcher
  verifyCertificate: boolean
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
}

/** One call below the realm's URL. */
export interface Call {
  method: 'GET' | 'POST'
  path: string
  /** Sent as application/x-www-form-urlencoded. */
  form?: URLSearchParams
  /** Deadline of the whole call, in milliseconds. */
  timeout: number
  /** What an answer may measure, in bytes. */
  maxBytes: number
  /** Aborted when nobody waits for the answer any more. */
  signal?: AbortSignal
  /** Answers of other statuses than 200 are answers too. */
  anyStatus?: boolean
}

/** What was answered. */
export interface Answer {
  status: number
  headers: Dispatcher.ResponseData['headers']
  body: string
}

/** Connections to Keycloak at once; further calls wait for one, within their deadline. */
const CONNECTIONS = 32

/** What calls in flight have left when the API closes, in milliseconds. */
const GRACE = 500

/**
 * The pool of connections to Keycloak. It does not follow redirects, believes no status but 200, and reads no more
 * than it was told to.
 */
export class Upstream {
  readonly #base: URL
  readonly #given: Dispatcher | undefined
  readonly #connect: Pool.Options['connect']
  #pool: Pool | undefined
  /** Ends a call in flight. */
  readonly #inFlight = new Set<(error: UnavailableError) => void>()
  #closing = false
  #lastCall: NodeJS.Timeout | undefined

  constructor ({ baseUrl, dispatcher, verifyCertificate, ca }: UpstreamOptions) {
    this.#base = new URL(baseUrl)
    this.#given = dispatcher
    this.#connect = { rejectUnauthorized: verifyCertificate, ca: ca as string | Buffer | Array<string | Buffer> | undefined }
  }

  /**
   * @returns the body of a 200
   * @throws {KeycloakError} keycloak_unavailable for everything else
   */
  async call (call: Call): Promise<string> {
    return (await this.answer(call)).body
  }

  /** The same, with status and headers. */
  async answer (call: Call): Promise<Answer> {
    const abort = new AbortController()
    let end!: (error: UnavailableError) => void
    const ended = new Promise<never>((_resolve, reject) => {
      end = (error) => {
        reject(error)
        abort.abort()
      }
    })
    // A timer of our own: undici's count idle time alone, and an abort does not reach a connection being made.
    const timer = setTimeout(() => end(unavailable(`no answer within ${call.timeout} ms`, 'away')), call.timeout)
    const cancel = (): void => end(unavailable('nobody waits for the answer any more', 'ours'))
    if (call.signal?.aborted === true) cancel()
    call.signal?.addEventListener('abort', cancel)
    this.#inFlight.add(end)
    try {
      return await Promise.race([ended, this.#attempt(call, abort.signal)])
    } finally {
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', cancel)
      this.#inFlight.delete(end)
    }
  }

  /** Is the API closing? Then a connection that is kept alive would only hold it up. */
  get closing (): boolean {
    return this.#closing
  }

  /** The API closes: calls in flight have a moment left, since those who asked are to be answered. */
  drain (): void {
    this.#closing = true
    this.#lastCall = setTimeout(() => this.#endCalls(), GRACE)
  }

  /** End the pool at once, calls in flight included; a dispatcher that was given stays the giver's. */
  async close (): Promise<void> {
    clearTimeout(this.#lastCall)
    this.#endCalls()
    await this.#pool?.destroy()
  }

  /** Loaded at the first call, since it takes longer to load than all the rest. */
  async #dispatcher (): Promise<Dispatcher> {
    // By its file, since Bun has a stub of its own for the bare name, whose pool makes no calls.
    const { Pool } = await import('undici/index.js')
    this.#pool ??= new Pool(this.#base.origin, { connections: CONNECTIONS, connect: this.#connect })
    return this.#pool
  }

  #endCalls (): void {
    for (const end of this.#inFlight) end(unavailable('the API is closing', 'ours'))
  }

  async #attempt (call: Call, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#once(call, signal)
    } catch (error) {
      // Keycloak closes idle connections and may do so just as we write: one more try on another connection.
      if (!isLostConnection(error) || signal.aborted) throw asUnavailable(error)
    }
    try {
      return await this.#once(call, signal)
    } catch (error) {
      throw asUnavailable(error)
    }
  }

  async #once ({ method, path, form, maxBytes, anyStatus = false }: Call, signal: AbortSignal): Promise<Answer> {
    const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity' }
    if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    const dispatcher = this.#given ?? this.#pool ?? await this.#dispatcher()
    const response = await dispatcher.request({
      origin: this.#base.origin,
      // A realm at the root of its host has the path `/`.
      path: this.#base.pathname.replace(/\/$/, '') + path,
      method,
      headers,
      body: form?.toString() ?? null,
      signal
    })
    const refused = refusal(response, anyStatus)
    if (refused !== undefined) {
      response.body.on('error', () => {}).destroy()
      throw refused
    }
    return { status: response.statusCode, headers: response.headers, body: await read(response.body, maxBytes) }
  }
}

function refusal ({ statusCode, headers }: Dispatcher.ResponseData, anyStatus: boolean): UnavailableError | undefined {
  if (statusCode !== 200 && !anyStatus) return unavailable(`status ${statusCode} instead of 200`, statusCode >= 500 ? 'away' : 'answer', statusCode)
  // Counting encoded bytes would bound nothing: 48 kB of gzip can hold 50 MB.
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return unavailable('an encoded body, though identity was asked for')
  return undefined
}

async function read (body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop destroys the body and its connection.
    if (size > maxBytes) throw unavailable(`a body of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isLostConnection (error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

/** Of a foreign error only the code is kept, and only if it looks like one: its text may quote what it should not. */
function asUnavailable (error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error
  const code = (error as { code?: unknown } | undefined)?.code
  return unavailable(typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : 'the call failed', 'away')
}
