import type { FastifyRequest } from 'fastify'
import type { MtlsOptions } from '../../types/mtls.js'
import { BoundedMap } from '../util/bounded-map.js'
import { valuesOf } from '../util/raw-headers.js'
import { elementsOf } from './forwarded-certificate.js'
import { bytesOf } from './structured-bytes.js'
import { digestOf, isDer, thumbprintOf } from './thumbprint.js'

type Name = NonNullable<MtlsOptions['header']>

/** In place of a thumbprint: a proxy has handed on a header that has no certificate which could be read. No token is bound to it. */
export const UNREADABLE = ''

/** Characters of the longest header that is read: a certificate of 8 kB, URL-encoded. */
const MAX_LENGTH = 32_768

/** Headers whose thumbprint is remembered, some 200 bytes each: a client sends the same one with each request. */
const MAX_KEPT = 5000

/** The header in which a proxy hands on the certificate of its client. */
export class CertificateHeader {
  readonly #name: Name
  /** By SHA-256 of the header, which takes a fiftieth of the time that it takes to read a certificate. */
  readonly #kept = new BoundedMap<string, string>(MAX_KEPT)

  constructor (name: Name) {
    this.#name = name
  }

  /** All values of the header, by the raw headers, because Node joins them. */
  valuesIn ({ raw: { rawHeaders = [] } }: FastifyRequest): string[] {
    return valuesOf(rawHeaders, this.#name)
  }

  /** The thumbprint of the ONE certificate in it; {@link UNREADABLE} if it has none, several, or another form. */
  thumbprint (values: readonly string[]): string {
    const [value] = values
    if (values.length !== 1 || value!.length > MAX_LENGTH) return UNREADABLE
    return this.#thumbprintOf(value!) ?? UNREADABLE
  }

  #thumbprintOf (value: string): string | undefined {
    const key = digestOf(value)
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const thumbprint = THUMBPRINTS[this.#name](value)
    if (thumbprint !== undefined) this.#kept.set(key, thumbprint)
    return thumbprint
  }
}

const THUMBPRINTS: { readonly [Header in Name]: (value: string) => string | undefined } = {
  'client-cert': ofBytes,
  'ssl-client-cert': ofPem,
  'x-forwarded-client-cert': ofElement
}

/** RFC 9440 section 2.2: `:base64:` of DER. */
function ofBytes (value: string): string | undefined {
  const der = bytesOf(value)
  return der !== undefined && isDer(der) ? thumbprintOf(der) : undefined
}

/** nginx's `$ssl_client_escaped_cert`: PEM, URL-encoded. */
function ofPem (value: string): string | undefined {
  try {
    return thumbprintOf(decodeURIComponent(value))
  } catch {
    return undefined
  }
}

/** Envoy's `X-Forwarded-Client-Cert`, with one element: `Hash` or `Cert`, and where both are there they must agree. */
function ofElement (value: string): string | undefined {
  const elements = elementsOf(value)
  if (elements?.length !== 1) return undefined
  const [hashes, certificates] = ['hash', 'cert'].map((key) => elements[0]!.filter(([name]) => name === key).map(([, text]) => text)) as [string[], string[]]
  if (hashes.length > 1 || certificates.length > 1) return undefined
  const hash = hashes.length === 0 ? undefined : ofHash(hashes[0]!)
  const certificate = certificates.length === 0 ? undefined : ofPem(certificates[0]!)
  if (hashes.length > 0 && certificates.length > 0) return hash === certificate ? hash : undefined
  return hash ?? certificate
}

/** SHA-256 in hexadecimal. */
function ofHash (hash: string): string | undefined {
  return /^[0-9a-f]{64}$/i.test(hash) ? Buffer.from(hash, 'hex').toString('base64url') : undefined
}
