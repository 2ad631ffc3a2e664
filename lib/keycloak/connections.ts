import type { Client, Dispatcher, Pool } from 'undici'
import type { CertificatePair } from '../options/client-certificate.js'
import type { Deadline } from '../util/deadline.js'
import { unavailable } from '../errors.js'
import { MAX_UNDER_WAY } from './call-queue.js'

/** The client certificate of the connections, which can change. */
export interface ConnectionCertificate {
  /** @throws {KeycloakError} keycloak_unavailable if there is none in time */
  pairFor: (deadline: Deadline) => Promise<CertificatePair>
  /** Keycloak may have refused a connection with it. */
  doubt: (pair: CertificatePair) => void
}

type ConnectOptions = Exclude<NonNullable<Pool.Options['connect']>, (...parameters: never[]) => unknown>

/** Connections to Keycloak at once: one for each introspection under way, and some for the keys and the check at start. */
const CONNECTIONS = MAX_UNDER_WAY + 4

/** The plugin's own connections to Keycloak. */
export class Connections {
  readonly #origin: string
  readonly #connect: ConnectOptions
  #pair: CertificatePair | undefined
  #pool: Pool | undefined
  /** Pools of earlier certificates, whose calls have to end. */
  readonly #retired = new Set<Pool>()
  #isClosed = false

  constructor (origin: string, connect: ConnectOptions) {
    this.#origin = origin
    this.#connect = connect
  }

  /** Have all new connections use this client certificate. Calls under way go on over their own. */
  use (pair: CertificatePair): void {
    if (pair === this.#pair) return
    this.#pair = pair
    const pool = this.#pool
    if (pool === undefined) return
    this.#pool = undefined
    this.#retired.add(pool)
    void pool.close().catch(() => {}).finally(() => this.#retired.delete(pool))
  }

  /** @param isLast for the last attempt of a request, whose connection cannot have been idle */
  dispatcher (isLast: boolean): Dispatcher | Promise<Dispatcher> {
    return isLast ? this.#fresh() : this.#pool ?? this.#load()
  }

  /** Calls under way fail. */
  async close (): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#retired, ...this.#pool === undefined ? [] : [this.#pool]].map((pool) => pool.destroy()))
  }

  /** The pool, loaded at the first request: a start does not need it. */
  async #load (): Promise<Pool> {
    const { Pool } = await loadUndici()
    if (this.#isClosed) throw unavailable('api_closed', 'local')
    this.#pool ??= new Pool(this.#origin, { connections: CONNECTIONS, connect: this.#options() })
    return this.#pool
  }

  /** A connection for one request. */
  async #fresh (): Promise<Client> {
    const { Client } = await loadUndici()
    const client = new Client(this.#origin, { connect: this.#options() })
    // When its request is over.
    client.on('drain', () => client.destroy())
    return client
  }

  #options (): ConnectOptions {
    return this.#pair === undefined ? this.#connect : { ...this.#connect, cert: this.#pair.cert, key: this.#pair.key }
  }
}

/** The classes of undici, or all of undici if a later version of it has other files. */
function loadUndici (): Promise<{ Client: typeof Client, Pool: typeof Pool }> {
  // By its file, because Bun has a stub of its own for the bare name, whose pool makes no calls.
  return import('./undici.js').catch(() => import('undici/index.js'))
}
