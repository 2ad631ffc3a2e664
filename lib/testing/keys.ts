import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import { FIXED_KEYS, STRANGER, type KeyFamily } from './fixed-keys.js'
import { ALGORITHMS, attack, familyOf, isAttack, signature, signingInput, type JwsHeader } from './jws.js'

/** A key that signs tokens, or signed them before a rotation. */
export class SigningKey {
  readonly alg: Algorithm
  readonly kid: string
  /** Has the private half. */
  readonly jwk: JsonWebKey
  #parsed: KeyObject | undefined

  constructor (alg: Algorithm, jwk: JsonWebKey) {
    this.alg = alg
    this.kid = kidOf(alg, jwk)
    this.jwk = jwk
  }

  /** Parsed at first use: most tests need one key of the many. */
  get privateKey (): KeyObject {
    this.#parsed ??= parse(this.jwk)
    return this.#parsed
  }
}

// A signing key that is published with another use: a token that names its kid has a good signature, and must be refused.
const [ENCRYPTION] = FIXED_KEYS.RSA

/**
 * The keys of a realm: for each algorithm one that signs, and retired ones that are still published. As in Keycloak, each
 * algorithm has its own key; but here all RSA keys have the same numbers, to save time.
 */
export class KeyRing {
  readonly algorithms: readonly Algorithm[]
  #signing: Map<string, SigningKey>
  #retired: SigningKey[] = []
  #generation = 0

  constructor (algorithms: readonly Algorithm[]) {
    const unknown = algorithms.find(alg => !ALGORITHMS.includes(alg))
    if (unknown !== undefined) {
      throw new TypeError(`createTestRealm(): algorithms holds "${unknown}", which is none of ${ALGORITHMS.join(', ')}.`)
    }
    this.algorithms = [...algorithms]
    this.#signing = this.#generate()
  }

  /** The algorithm of tokens whose spec and header have no `alg`. */
  get defaultAlgorithm (): Algorithm {
    return this.algorithms[0] ?? 'RS256'
  }

  signing (alg: string): SigningKey {
    const key = this.#signing.get(alg)
    if (key !== undefined) return key
    const published = this.algorithms.join(', ') || 'none at all'
    throw new Error(`The test realm has no ${alg} key but ${published}: list it in the algorithms of createTestRealm().`)
  }

  /** A compact JWS, by the key of the header's `alg`, or by a key of the same algorithm that no realm has. */
  sign (payload: unknown, header: JwsHeader, forged: boolean): string {
    const alg = header.alg ?? this.defaultAlgorithm
    const key = this.signing(isAttack(alg) ? this.defaultAlgorithm : alg)
    const input = signingInput({ alg, typ: 'JWT', kid: key.kid, ...header }, payload)
    if (isAttack(alg)) return `${input}.${attack(alg, key.privateKey, input)}`
    return `${input}.${signature(key.alg, forged ? strangersKey(key.alg) : key.privateKey, input)}`
  }

  /** A key that the realm publishes for signatures, retired ones included. */
  find (kid: unknown, alg: unknown): SigningKey | undefined {
    return this.#published().find(key => key.kid === kid && key.alg === alg)
  }

  rotate (removeOld: boolean): void {
    this.#retired = removeOld ? [] : this.#published()
    this.#generation++
    this.#signing = this.#generate()
  }

  /** The key set (RFC 7517 section 5), public halves only. */
  jwks (): { keys: JsonWebKey[] } {
    const keys = this.#published().map(({ alg, jwk }) => publicJwk(alg, 'sig', jwk))
    return { keys: [...keys, publicJwk('RSA-OAEP', 'enc', ENCRYPTION)] }
  }

  #published (): SigningKey[] {
    return [...this.#signing.values(), ...this.#retired]
  }

  #generate (): Map<string, SigningKey> {
    const material = new Map<KeyFamily, JsonWebKey>()
    return new Map(this.algorithms.map(alg => {
      const family = familyOf(alg)
      const jwk = material.get(family) ?? FIXED_KEYS[family][this.#generation] ?? generateJwk(family)
      material.set(family, jwk)
      return [alg, new SigningKey(alg, jwk)]
    }))
  }
}

/** A key for the algorithm that no realm has. */
function strangersKey (alg: Algorithm): KeyObject {
  const family = familyOf(alg)
  return parse(family === 'RSA' ? STRANGER : generateJwk(family))
}

export function parse (jwk: JsonWebKey): KeyObject {
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function publicJwk (alg: string, use: 'sig' | 'enc', jwk: JsonWebKey): JsonWebKey {
  return { kid: kidOf(alg, jwk), kty: jwk.kty, alg, use, ...publicMembers(jwk) }
}

/** A kid of 43 characters, as Keycloak makes it. */
function kidOf (alg: string, jwk: JsonWebKey): string {
  return createHash('sha256').update(alg + JSON.stringify(publicMembers(jwk))).digest('base64url')
}

export function publicMembers ({ crv, x, y, n, e }: JsonWebKey): JsonWebKey {
  return { crv, x, y, n, e }
}

export function generateJwk (family: KeyFamily): JsonWebKey {
  const pair = family === 'RSA'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : family === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: family })
  return pair.privateKey.export({ format: 'jwk' })
}
