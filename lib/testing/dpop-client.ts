import { createHash, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import { wallSeconds } from '../util/clock.js'
import { ALGORITHMS, familyOf, signature, signingInput, type Claims, type JwsHeader } from './jws.js'
import { generateJwk, parse, publicMembers } from './keys.js'

/** The options of `TestRealm.dpop`. */
export interface DpopClientOptions {
  /** The signature algorithm of the client's proofs. Default `ES256`. An RSA key takes 60 to 290 ms. */
  algorithm?: Algorithm
}

/** The request that a proof is for. */
export interface DpopProofRequest {
  /** The method, in upper case: `htm`. Default `GET`. */
  method?: string
  /** The absolute URL as the API's clients see it; `htu` is this URL without query and fragment. */
  url: string
  /** The access token that is sent with the proof, for `ath`. Default none, as at the token endpoint. */
  token?: string
  /** The nonce of the server's header DPoP-Nonce. Default none. */
  nonce?: string
  /** Merged over the claims, such as `{ iat: 0 }` or `{ jti: 'the same' }`; a value of undefined removes the claim. */
  claims?: Claims
  /** Merged over the header, such as `{ typ: 'JWT' }`; a value of undefined removes the member. The client's key signs anyway. */
  header?: JwsHeader
}

/** A client with a key of its own, which tokens can be bound to (RFC 9449). See `TestRealm.dpop`. */
export class DpopClient {
  /** The thumbprint of the key (RFC 7638), as `cnf.jkt` has it. */
  readonly jkt: string
  readonly #algorithm: Algorithm
  readonly #publicJwk: JsonWebKey
  readonly #privateKey: KeyObject

  /** @internal */
  constructor ({ algorithm = 'ES256' }: DpopClientOptions = {}) {
    if (!ALGORITHMS.includes(algorithm)) {
      throw new TypeError(`TestRealm.dpop(): algorithm is "${algorithm}", which is none of ${ALGORITHMS.join(', ')}.`)
    }
    const jwk = generateJwk(familyOf(algorithm))
    this.#algorithm = algorithm
    this.#publicJwk = { kty: jwk.kty, ...publicMembers(jwk) }
    this.#privateKey = parse(jwk)
    this.jkt = thumbprint(this.#publicJwk)
  }

  /** A new proof for one request (RFC 9449 section 4.2): `jti` is random, `iat` is now. */
  async proof (request: DpopProofRequest): Promise<string> {
    if (typeof (request as Partial<DpopProofRequest> | undefined)?.url !== 'string') throw new TypeError('DpopClient.proof(): url is missing: write { method, url } of the request that the proof is for, with the whole URL as clients see it.')
    const { method = 'GET', url, token, nonce, claims, header } = request
    const payload = {
      jti: randomUUID(),
      htm: method,
      htu: url.split(/[?#]/, 1)[0],
      iat: Math.floor(wallSeconds()),
      ath: token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'),
      nonce,
      ...claims
    }
    const input = signingInput({ typ: 'dpop+jwt', alg: this.#algorithm, jwk: this.#publicJwk, ...header }, payload)
    return `${input}.${signature(this.#algorithm, this.#privateKey, input)}`
  }
}

/** @returns a function that gives the client of a token's `dpop`; for `true` it is always the same */
export function createClientLookup (): (dpop: DpopClient | true) => DpopClient {
  let own: DpopClient | undefined
  return (dpop) => {
    if (dpop !== true) return dpop
    own ??= new DpopClient()
    return own
  }
}

/** RFC 7638 section 3: the members that the key type needs, in lexicographic order; members that are undefined are left out. */
export function thumbprint ({ crv, e, kty, n, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}
