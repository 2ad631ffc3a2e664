import { subjectOf } from '../options/client-certificate.js'
import type { RealmSettings } from '../options/options.js'

/** The way in which this API's client authenticates. */
type Method = 'secret' | 'key' | 'assertion' | 'certificate'

export const CREDENTIALS_TAB = 'in its Credentials tab in Keycloak'

function methodOf ({ clientAssertion, clientCertificate }: RealmSettings): Method {
  if (clientCertificate !== undefined) return 'certificate'
  if (clientAssertion === undefined) return 'secret'
  return typeof clientAssertion === 'function' ? 'assertion' : 'key'
}

/** The Client Authenticator that a client must have in Keycloak, as its console names it. */
const AUTHENTICATORS: Readonly<Record<Method, string>> = {
  secret: '"Client Id and Secret"',
  key: '"Signed JWT"',
  assertion: '"Signed JWT - Federated" (or "Signed JWT", if the client has the key)',
  certificate: '"X509 Certificate"'
}

export function setAuthenticator (settings: RealmSettings): string {
  return `${CREDENTIALS_TAB} set Client Authenticator to ${AUTHENTICATORS[methodOf(settings)]}`
}

/** A part of a sentence, by the way of authentication. */
type ByMethod = Readonly<Record<Method, (settings: RealmSettings) => string>>

const PROOFS: ByMethod = {
  secret: () => 'a secret',
  key: () => 'a signed JWT',
  assertion: () => 'a signed JWT',
  certificate: () => 'a certificate'
}

/** The proof of the client that the options give. */
export function proofOf (settings: RealmSettings): string {
  return PROOFS[methodOf(settings)](settings)
}

const UNKNOWN: ByMethod = {
  secret: () => 'has a secret',
  key: () => 'authenticates by a signed JWT',
  assertion: () => 'takes this assertion',
  certificate: () => 'takes this certificate'
}

const UNKNOWN_CURES: ByMethod = {
  secret: () => '',
  key: () => '',
  assertion: () => '; or compare iss with the Issuer of its identity provider, sub with the subject of the client, and the signature with the keys of that provider',
  certificate: (settings) => `, with the Subject DN ${dnOf(settings)} and Allow regex pattern comparison off; or have Keycloak ask for certificates (its option https-client-auth=request), and the proxy before it hand them on`
}

/** The condition that the client of a refusal lacks, and the cures besides those of its name. */
export function unknownClient (settings: RealmSettings): { lacks: string, cures: string } {
  const method = methodOf(settings)
  return { lacks: UNKNOWN[method](settings), cures: UNKNOWN_CURES[method](settings) }
}

const WRONG: ByMethod = {
  secret: ({ clientSecret }) => typeof clientSecret === 'function' ? 'the value that the function clientSecret returned is not the secret' : 'clientSecret is not the secret',
  key: () => 'clientAssertion.key is not the key',
  assertion: () => 'the assertion of the function clientAssertion is not one',
  certificate: () => 'clientCertificate is not the certificate'
}

const WRONG_CURES: ByMethod = {
  secret: () => 'copy it from the Credentials tab of the client in Keycloak, without white space around it',
  key: () => 'give its public part to the client in Keycloak (Keys tab)',
  assertion: () => 'compare its iss and sub with the client in Keycloak (Credentials tab)',
  certificate: (settings) => `write ${dnOf(settings)} into the Subject DN of the client in Keycloak (Credentials tab)`
}

/** The begin of a sentence about credentials that are not those of the client, and the cure. */
export function wrongCredentials (settings: RealmSettings): { problem: string, cure: string } {
  const method = methodOf(settings)
  return { problem: WRONG[method](settings), cure: WRONG_CURES[method](settings) }
}

/** The subject to write into Keycloak. */
function dnOf ({ clientCertificate }: RealmSettings): string {
  const subject = typeof clientCertificate === 'object' ? subjectOf(clientCertificate.cert) : undefined
  return subject === undefined ? 'of the certificate, in the order of RFC 2253 (openssl x509 -noout -subject -nameopt RFC2253)' : `"${subject}"`
}
