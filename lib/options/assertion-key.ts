import type { KeyObject } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import { memberOf } from '../util/members.js'
import { readPrivateKey } from '../util/private-key.js'
import { isObject } from '../util/strict-json.js'
import { ALGORITHMS } from './values.js'

/** A private key that signs assertions, by one algorithm. */
export interface AssertionKey {
  readonly key: KeyObject
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
}

/** A member of the option `clientAssertion` that is wrong. */
export interface AssertionKeyFault {
  readonly member: 'key' | 'algorithm'
  /** Completes "must be …", if the usual words do not. */
  readonly message?: string
  /** Completes "not …"; `undefined` for a value of another type. */
  readonly found: string | undefined
}

interface Wanted {
  algorithm?: Algorithm | undefined
  keyId?: string | undefined
}

/** RFC 7518 section 3.3. */
const RSA_BITS = 2048

const RSA: readonly Algorithm[] = ['RS256', 'PS256', 'RS384', 'RS512', 'PS384', 'PS512']

/** The algorithms that fit a key, by its type or its curve; the first is the default. */
const FITTING: Readonly<Record<string, readonly Algorithm[]>> = {
  rsa: RSA,
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: ['EdDSA'],
  ed448: ['EdDSA']
}

/** Reads the key of the option `clientAssertion`, or the result of its function. */
export function assertionKeyOf (value: unknown, { algorithm, keyId }: Wanted): AssertionKey | AssertionKeyFault {
  const { key, fault } = readPrivateKey(value)
  if (key === undefined) return { member: 'key', found: fault }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails!
  const type = namedCurve ?? key.asymmetricKeyType!
  const ofType = Object.hasOwn(FITTING, type) ? FITTING[type]! : []
  if (ofType.length === 0) return { member: 'key', found: `a key of ${type}, which none of ${ALGORITHMS.join(', ')} uses` }
  if (modulusLength !== undefined && modulusLength < RSA_BITS) return { member: 'key', found: `an RSA key of ${modulusLength} bits, which is too short: ${RSA_BITS} at least` }
  const own = jwkText(value, 'alg')
  const fitting = own === undefined ? ofType : ofType.filter((each) => each === own)
  if (fitting.length === 0) return { member: 'key', found: 'a JWK whose alg does not fit it' }
  if (algorithm !== undefined && !fitting.includes(algorithm)) {
    return { member: 'algorithm', message: `${fitting.join(' or ')}, which ${fitting.length === 1 ? 'fits' : 'fit'} the key`, found: JSON.stringify(algorithm) }
  }
  return { key, algorithm: algorithm ?? fitting[0]!, keyId: keyId ?? jwkText(value, 'kid') }
}

export function isAssertionKey (read: AssertionKey | AssertionKeyFault): read is AssertionKey {
  return Object.hasOwn(read, 'key')
}

/** A text in a JWK; PEM and KeyObjects have none. */
function jwkText (value: unknown, name: 'alg' | 'kid'): string | undefined {
  const text = isObject(value) ? memberOf(value, name) : undefined
  return typeof text === 'string' ? text : undefined
}
