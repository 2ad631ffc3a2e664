import type { RealmSettings } from '../options/options.js'
import type { ClientAuthentication } from './client-authentication.js'
import type { Closing } from './closing.js'

/**
 * Makes the authentication of this API's client. One that is not used is not loaded.
 * @returns `undefined` if the options have none
 */
export async function createAuthentication ({ clientId, issuer, clientSecret, clientAssertion, clientCertificate }: RealmSettings, closing: Closing): Promise<ClientAuthentication | undefined> {
  if (typeof clientAssertion === 'function') {
    const { ForeignAssertion } = await import('./foreign-assertion.js')
    return new ForeignAssertion(clientId, clientAssertion, closing)
  }
  if (clientAssertion !== undefined) {
    const { SignedAssertion } = await import('./signed-assertion.js')
    return new SignedAssertion({ clientId, audience: issuer, signing: clientAssertion }, closing)
  }
  if (clientCertificate !== undefined) {
    const { ClientCertificate } = await import('./client-certificate.js')
    return new ClientCertificate(clientId, clientCertificate, closing)
  }
  if (clientSecret === undefined) return undefined
  const { ClientSecret } = await import('./client-secret.js')
  return new ClientSecret(clientId, clientSecret, closing)
}
