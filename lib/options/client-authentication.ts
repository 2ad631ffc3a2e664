import type { ClientAssertionKey, ClientAssertionProvider, ClientCertificateProvider } from '../../types/client-authentication.js'
import { wallMilliseconds } from '../util/clock.js'
import { isThenable } from '../util/maybe-promise.js'
import { assertionKeyOf, isAssertionKey } from './assertion-key.js'
import { type CertificatePair, certificatePairFault } from './client-certificate.js'
import { checked, either, group, oneOf, optional, valueThat } from './schemas.js'
import { aFunction, ALGORITHMS, exactText } from './values.js'

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

export const clientAssertionGroup = group({
  key: valueThat<ClientAssertionKey['key']>(isKeyForm, KEY),
  algorithm: optional(oneOf(ALGORITHMS, ASSERTION_ALGORITHM)),
  keyId: optional(exactText('the id of that key in Keycloak (kid)'))
}, ASSERTION)

const fittingAssertion = checked(clientAssertionGroup, KEY, ({ key, ...wanted }) => {
  const read = isFunction(key) ? undefined : assertionKeyOf(key, wanted)
  return read === undefined || isAssertionKey(read) ? undefined : read
})

export const clientAssertion = either([fittingAssertion, aFunction<ClientAssertionProvider>(ASSERTION)], ASSERTION)

export const clientCertificateGroup = group({
  cert: valueThat<CertificatePair['cert']>(isGiven, CERT),
  key: valueThat<CertificatePair['key']>(isGiven, CERT_KEY)
}, CERTIFICATE)

const fittingCertificate = checked(clientCertificateGroup, CERT_KEY, ({ cert, key }) => {
  const fault = certificatePairFault(cert, key, wallMilliseconds())
  return fault && { ...fault, message: fault.member === 'cert' ? CERT : CERT_KEY }
})

export const clientCertificate = either([fittingCertificate, aFunction<ClientCertificateProvider>(CERTIFICATE)], CERTIFICATE)

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
