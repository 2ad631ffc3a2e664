import { constants, randomUUID, sign, type SignKeyObjectInput } from 'node:crypto'
import { promisify } from 'node:util'
import type { ClientAssertionKey } from '../../types/client-authentication.js'
import type { UnavailableError } from '../errors.js'
import { type AssertionKey, assertionKeyOf, isAssertionKey } from '../options/assertion-key.js'
import { wallSeconds } from '../util/clock.js'
import type { Deadline } from '../util/deadline.js'
import { assertionMembers, type ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'
import { Provided } from './provided.js'

/** Seconds that an assertion is good for: it is made for one call. */
const LIFETIME = 60

/** In a thread of its own, because RSA takes up to a millisecond. */
const signAside = promisify(sign)

export interface SignedAssertionOptions {
  clientId: string
  /** The issuer, which is the only audience that Keycloak takes from all kinds of clients. */
  audience: string
  /** The option `clientAssertion`, checked. */
  signing: ClientAssertionKey
}

/** private_key_jwt (OpenID Connect Core 1.0 section 9, RFC 7523 section 2.2): a new assertion for each call, because Keycloak takes none twice. */
export class SignedAssertion implements ClientAuthentication {
  /** Never at hand. */
  readonly current = undefined
  readonly #options: SignedAssertionOptions
  readonly #fixed: AssertionKey | undefined
  readonly #provided: Provided<AssertionKey> | undefined
  /** The key of each call that is under way. */
  readonly #used = new WeakMap<Deadline, AssertionKey>()

  constructor (options: SignedAssertionOptions, closing: Closing) {
    const { key, ...wanted } = options.signing
    const read = (value: unknown): AssertionKey | undefined => {
      const found = assertionKeyOf(value, wanted)
      return isAssertionKey(found) ? found : undefined
    }
    this.#options = options
    if (typeof key === 'function') this.#provided = new Provided({ provide: key, read, isSame, missing: 'client_key_missing', closing })
    else this.#fixed = read(key)
  }

  /**
   * @throws {KeycloakError} keycloak_unavailable when the function for the key throws, gives no key, or takes too long, and when the API closes
   */
  async get (deadline: Deadline): Promise<string> {
    return this.#by(this.#fixed ?? this.#provided!.current ?? await this.#provided!.get(deadline), deadline)
  }

  /** @returns an assertion by another key; by the same one only if the last assertion came twice, because its connection broke */
  async other (_refused: string, deadline: Deadline, { reasonCode }: UnavailableError): Promise<string | undefined> {
    const used = this.#used.get(deadline)!
    const key = reasonCode === 'assertion_reused' ? used : await this.#provided?.other(used, deadline)
    return key && this.#by(key, deadline)
  }

  async #by (key: AssertionKey, deadline: Deadline): Promise<string> {
    this.#used.set(deadline, key)
    const { clientId, audience } = this.#options
    const now = Math.floor(wallSeconds())
    const header = { alg: key.algorithm, typ: 'JWT', kid: key.keyId }
    const claims = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat: now, exp: now + LIFETIME }
    const text = `${encoded(header)}.${encoded(claims)}`
    const signature = await signAside(digestOf(key), Buffer.from(text), inputOf(key))
    return assertionMembers(clientId, `${text}.${signature.toString('base64url')}`)
  }
}

function encoded (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** RFC 7518 section 3.1; EdDSA has a digest of its own (RFC 8037 section 3.1). */
function digestOf ({ algorithm }: AssertionKey): string | null {
  return algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
}

function inputOf ({ key, algorithm }: AssertionKey): SignKeyObjectInput {
  if (algorithm.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' }
  return algorithm.startsWith('PS') ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : { key }
}

function isSame (a: AssertionKey, b: AssertionKey): boolean {
  return a.key.equals(b.key) && a.algorithm === b.algorithm && a.keyId === b.keyId
}
