// Requests with DPoP proofs. Each proof is good once and for some seconds only, so they are made right before they are sent.
import type { JsonWebKey } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request as httpRequest, type Agent } from 'node:http'
import type { DpopClient, DpopProofRequest } from '../lib/testing/index.js'
import { cacheFile } from './processes.js'
import { HOST, requestWith, tokenOf, type Realm, type Requests } from './realm.js'

const URL = `http://${HOST}/profile`

/** An answer to a request with a proof. */
export interface ProofAnswer {
  status: number
  nonce: string | undefined
  /** Milliseconds. */
  took: number
}

/** A client with a key, and a token that is bound to the key. */
export class BoundClient {
  readonly token: string
  readonly #client: Pick<DpopClient, 'proof'>

  constructor (token: string, client: Pick<DpopClient, 'proof'>) {
    this.token = token
    this.#client = client
  }

  static async of (realm: Realm, client: DpopClient): Promise<BoundClient> {
    return new BoundClient(await tokenOf(realm, 0, { typ: 'DPoP', cnf: { jkt: client.jkt } }), client)
  }

  /** New proofs for the token. */
  async proofs (count: number, more: Partial<DpopProofRequest> = {}): Promise<string[]> {
    return await Promise.all(Array.from({ length: count }, () => this.#client.proof({ url: URL, token: this.token, ...more })))
  }

  /** The public key of its proofs. */
  async publicJwk (): Promise<JsonWebKey> {
    const [proof] = await this.proofs(1)
    return JSON.parse(Buffer.from(proof!.split('.')[0]!, 'base64url').toString()).jwk
  }

  /** A request for each proof; one without a proof for `undefined`. */
  requests (proofs: ReadonlyArray<string | undefined>): string[] {
    return proofs.map((proof) => requestWith(`DPoP ${this.token}`, proof === undefined ? {} : { DPoP: proof }))
  }

  /** Sends one request. */
  async ask (port: number, proof: string | undefined, agent?: Agent): Promise<ProofAnswer> {
    const started = performance.now()
    const headers = { host: HOST, authorization: `DPoP ${this.token}`, ...proof !== undefined && { dpop: proof } }
    const [response] = await once(httpRequest({ host: '127.0.0.1', port, path: '/profile', agent, headers }).end(), 'response')
    await once(response.resume(), 'end')
    return { status: response.statusCode, nonce: response.headers['dpop-nonce'], took: performance.now() - started }
  }
}

/** A file of requests of the same length, in place of an earlier one of this name. */
export function fileOf (realm: Realm, name: string, requests: readonly string[]): Requests {
  const file = cacheFile(`${realm.port}/${name}.bin`)
  const size = requests[0]!.length
  if (requests.some((each) => each.length !== size)) throw new Error('the requests differ in length')
  writeFileSync(file, requests.join(''), 'latin1')
  return { file, size, count: requests.length }
}
