import * as z from 'zod'
import type { ClientAssertionKey, ClientAssertionProvider, ClientCertificateProvider } from '../../types/client-authentication.js'
import { wallMilliseconds } from '../util/clock.js'
import { isThenable } from '../util/maybe-promise.js'
import { assertionKeyOf, isAssertionKey } from './assertion-key.js'
import { type CertificatePair, certificatePairFault } from './client-certificate.js'
import { ALGORITHMS, exactText } from './values.js'

/** The options by which this API's client authenticates at Keycloak: one of them. */
export const AUTHENTICATION_OPTIONS = ['clientSecret', 'clientAssertion', 'clientCertificate'] as const

const KEY = 'a private key in PEM (its text, not its path), as a JWK or as a KeyObject, or a function that returns one'
const ASSERTION = 'an object with key, algorithm and keyId, or a function that returns an assertion'
const ASSERTION_ALGORITHM = `one of ${ALGORITHMS.join(', ')} that fits the key`
const CERT = 'the certificate of that client in PEM as string or Buffer (its text, not its path)'
const CERT_KEY = 'the private key of that certificate in PEM as string or Buffer (its text, not its path)'
const CERTIFICATE = 'an object with cert and key, or a function that returns one'

const isFunction = (value: unknown): boolean => typeof value === 'function'
const isKeyForm = (value: unknown): boolean => typeof value === 'string' || isFunction(value) || (typeof value === 'object' && value !== null && !isThenable(value))
const isGiven = (value: unknown): boolean => typeof value === 'string' || Buffer.isBuffer(value)

export const clientAssertionGroup = z.strictObject({
  key: z.custom<ClientAssertionKey['key']>(isKeyForm, KEY),
  algorithm: z.enum(ALGORITHMS, ASSERTION_ALGORITHM).optional(),
  keyId: exactText('the id of that key in Keycloak (kid)').optional()
}, ASSERTION).superRefine(({ key, ...wanted }, context) => {
  const read = isFunction(key) ? undefined : assertionKeyOf(key, wanted)
  if (read === undefined || isAssertionKey(read)) return
  context.addIssue({ code: 'custom', path: [read.member], message: read.message ?? KEY, ...read.found !== undefined && { params: { found: read.found } } })
})

export const clientAssertion = z.union([clientAssertionGroup, z.custom<ClientAssertionProvider>(isFunction, ASSERTION)], ASSERTION)

export const clientCertificateGroup = z.strictObject({
  cert: z.custom<CertificatePair['cert']>(isGiven, CERT),
  key: z.custom<CertificatePair['key']>(isGiven, CERT_KEY)
}, CERTIFICATE).superRefine(({ cert, key }, context) => {
  const fault = certificatePairFault(cert, key, wallMilliseconds())
  if (fault !== undefined) context.addIssue({ code: 'custom', path: [fault.member], message: fault.member === 'cert' ? CERT : CERT_KEY, params: { found: fault.found } })
})

export const clientCertificate = z.union([clientCertificateGroup, z.custom<ClientCertificateProvider>(isFunction, CERTIFICATE)], CERTIFICATE)

interface Authenticating {
  serverUrl?: string | undefined
  issuer?: string | undefined
  verifyTokensWithKeycloak: boolean
  clientSecret?: unknown
  clientAssertion?: unknown
  clientCertificate?: unknown
  dispatcher?: unknown
}

/** The sentence about authentications that are valid alone, but not together. */
export function authenticationFault (settings: Authenticating): string | undefined {
  const [first, second] = AUTHENTICATION_OPTIONS.filter((name) => settings[name] !== undefined)
  if (second !== undefined) return `option "${second}" goes without ${first}; keep the one that the client has in Keycloak (Credentials tab, Client Authenticator)`
  if (settings.verifyTokensWithKeycloak && first === undefined) {
    return 'option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it; clientAssertion or clientCertificate can stand in its place'
  }
  if (first !== 'clientCertificate') return undefined
  if (settings.dispatcher !== undefined) return 'option "clientCertificate" goes without dispatcher, since a dispatcher makes its own connections; leave the dispatcher out'
  const [name, url] = settings.serverUrl === undefined ? ['issuer', settings.issuer] as const : ['serverUrl', settings.serverUrl] as const
  if (url !== undefined && !/^https:/i.test(url)) return `option "${name}" must begin with https:// when clientCertificate is given, since a certificate belongs to a connection of TLS`
  return undefined
}
