import { createPrivateKey, type JsonWebKey, KeyObject } from 'node:crypto'
import { memberOf } from './members.js'
import { isObject } from './strict-json.js'

/** A private key, or the words for a value that is none. */
export type PrivateKey = { key: KeyObject, fault?: undefined } | { key: undefined, fault: string | undefined }

/** Texts that are given instead of a private key, and the words for them; the first match counts. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^$/, 'an empty one'],
  [/\\n/, 'one whose line breaks are written as \\n: write .replaceAll("\\\\n", "\\n")'],
  [/ENCRYPTED/, 'an encrypted one: write createPrivateKey({ key, passphrase }) of node:crypto'],
  [/PUBLIC KEY/, 'a public key, which signs nothing'],
  [/CERTIFICATE/, 'a certificate, which signs nothing'],
  [/^\s*\{/, 'JSON: write JSON.parse(text)'],
  [/^[./~]|\.(?:pem|key|jwk)$/i, 'a path: write readFileSync(path)']
]

/** Reads a private key of any form; `fault` is `undefined` for a value of another type. */
export function readPrivateKey (value: unknown): PrivateKey {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return fromPem(value)
  if (value instanceof KeyObject) return value.type === 'private' ? { key: value } : { key: undefined, fault: `a ${value.type} key, which signs nothing that Keycloak could check` }
  return isObject(value) ? fromJwk(value) : { key: undefined, fault: undefined }
}

/** Reads a private key in PEM. */
export function fromPem (pem: string | Buffer): PrivateKey {
  try {
    return { key: createPrivateKey(pem) }
  } catch {
    return { key: undefined, fault: FAULTS.find(([wrong]) => wrong.test(pem.toString()))?.[1] ?? 'another text' }
  }
}

function fromJwk (jwk: object): PrivateKey {
  if (memberOf(jwk, 'kty') === 'oct') return { key: undefined, fault: 'a JWK of a shared secret (kty oct): write clientSecret' }
  if (memberOf(jwk, 'kty') === undefined) return { key: undefined, fault: Array.isArray(memberOf(jwk, 'keys')) ? 'a set of keys: write one of its keys' : undefined }
  if (memberOf(jwk, 'd') === undefined) return { key: undefined, fault: 'a JWK without a private part (d)' }
  try {
    return { key: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }) }
  } catch {
    return { key: undefined, fault: 'a JWK that is not valid' }
  }
}
