import type { ClientCertificate as ClientCertificatePair, ClientCertificateProvider } from '../../types/client-authentication.js'
import { type CertificatePair, certificatePairFault, validityOf } from '../options/client-certificate.js'
import { wallMilliseconds } from '../util/clock.js'
import type { Deadline } from '../util/deadline.js'
import { isObject } from '../util/strict-json.js'
import type { ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'
import type { ConnectionCertificate } from './connections.js'
import { Provided } from './provided.js'

/** A function is called again in the last part of a certificate's time, which is this share of it. */
const LAST_PART = 1 / 5

/** A certificate with its times, in milliseconds since 1970. */
interface LoadedPair extends CertificatePair {
  readonly renewFrom: number
  readonly validTo: number
}

/**
 * tls_client_auth (RFC 8705 section 2.1): the connection proves the client, and the form names it. A certificate of a function is asked for again
 * before it expires, and when Keycloak refuses it or its connection.
 */
export class ClientCertificate implements ClientAuthentication, ConnectionCertificate {
  /** Asked for, as the members of other ways are that change. */
  readonly current = undefined
  readonly #members: string
  readonly #fixed: CertificatePair | undefined
  readonly #provided: Provided<LoadedPair> | undefined
  /** The certificate of each call that is under way. */
  readonly #used = new WeakMap<Deadline, LoadedPair>()
  /** A certificate whose connection was refused. */
  #doubtful: CertificatePair | undefined

  constructor (clientId: string, source: ClientCertificatePair | ClientCertificateProvider, closing: Closing) {
    this.#members = new URLSearchParams({ client_id: clientId }).toString()
    if (typeof source === 'function') this.#provided = new Provided({ provide: source, read: readPair, isSame, missing: 'client_certificate_missing', closing })
    else this.#fixed = source
  }

  get certificate (): ConnectionCertificate {
    return this
  }

  async get (): Promise<string> {
    return this.#members
  }

  /** @returns the same members, for a connection with another certificate */
  async other (_refused: string, deadline: Deadline): Promise<string | undefined> {
    const used = this.#used.get(deadline)
    const other = used && await this.#provided!.other(used, deadline)
    return other && this.#members
  }

  /**
   * The certificate for a call.
   * @throws {KeycloakError} keycloak_unavailable when the function throws, gives no valid pair, or takes too long, and when the API closes
   */
  async pairFor (deadline: Deadline): Promise<CertificatePair> {
    if (this.#fixed !== undefined) return this.#fixed
    const pair = await this.#valid(this.#provided!, deadline)
    this.#used.set(deadline, pair)
    return pair
  }

  doubt (pair: CertificatePair): void {
    this.#doubtful = pair
  }

  async #valid (provided: Provided<LoadedPair>, deadline: Deadline): Promise<LoadedPair> {
    const pair = provided.current ?? await provided.get(deadline)
    const isDoubtful = pair === this.#doubtful
    this.#doubtful = undefined
    const now = wallMilliseconds()
    if (isDoubtful || now >= pair.validTo) {
      const other = provided.other(pair, deadline)
      // A function that fails now does not take away a certificate that may be good: Keycloak can close a connection for other reasons.
      return await (now < pair.validTo ? other.catch(() => undefined) : other) ?? pair
    }
    if (now >= pair.renewFrom) provided.refresh()
    return pair
  }
}

function readPair (value: unknown): LoadedPair | undefined {
  if (!isObject(value)) return undefined
  const { cert, key } = value as Partial<CertificatePair>
  if (certificatePairFault(cert, key, wallMilliseconds()) !== undefined) return undefined
  const { from, to } = validityOf(cert!)
  return { cert: cert!, key: key!, renewFrom: to - (to - from) * LAST_PART, validTo: to }
}

function isSame (a: CertificatePair, b: CertificatePair): boolean {
  return String(a.cert) === String(b.cert) && String(a.key) === String(b.key)
}
