import type { KeycloakReasonCode } from '../reasons/reason.js'
import type { RealmSettings } from '../options/options.js'
import { proofOf, setAuthenticator, unknownClient, wrongCredentials } from './client-authentication.js'
import { addressOption, type Finding } from './finding.js'

/** A problem and its cure. */
type Advice = [problem: string, cure: string]

/** The meaning of a refusal for this API. */
interface Known {
  check: Finding['check']
  /** @param realm the name of the realm, from the URL */
  advice: (settings: RealmSettings, realm: string) => Advice
}

const CLOCKS = 'set the clocks of this machine and of Keycloak by NTP'
const OWN_CLOCK = 'set the clock of this machine by NTP, or that of Keycloak'

/** The refusals that are about the realm, the client or its secret. Others only show that the server there is not Keycloak. */
const KNOWN: Readonly<Partial<Record<KeycloakReasonCode, Known>>> = {
  https_required: {
    check: 'https_required',
    advice: (settings, realm) => [
      `the realm "${realm}" demands HTTPS`,
      `write https:// in ${addressOption(settings)}; or in Keycloak lower Require SSL of the realm (Realm settings, General), and give Keycloak the option proxy-headers if a proxy before it ends TLS`
    ]
  },
  realm_disabled: {
    check: 'realm_disabled',
    advice: (_settings, realm) => [`the realm "${realm}" is disabled`, 'switch it on in Keycloak (Realm settings, Enabled)']
  },
  client_public: {
    check: 'credentials',
    advice: ({ clientId }) => [
      `the client "${clientId}" may not ask, because it is public`,
      'in Keycloak switch its Client authentication on, or name this API\'s own client by clientId and clientSecret'
    ]
  },
  client_unknown: {
    check: 'credentials',
    advice: (settings, realm) => {
      const { lacks, cures } = unknownClient(settings)
      return [
        `the realm "${realm}" has no client "${settings.clientId}" that is enabled and ${lacks}`,
        `correct clientId, where small and capital letters count; or switch that client on; or ${setAuthenticator(settings)}${cures}`
      ]
    }
  },
  client_assertion: {
    check: 'credentials',
    advice: (settings) => [`the client "${settings.clientId}" has to prove itself by a signed JWT, not by ${proofOf(settings)}`, setAuthenticator(settings)]
  },
  client_certificate: {
    check: 'credentials',
    advice: (settings) => [`the client "${settings.clientId}" has to prove itself by a certificate, not by ${proofOf(settings)}`, setAuthenticator(settings)]
  },
  client_secret_jwt: {
    check: 'credentials',
    advice: (settings) => [`the client "${settings.clientId}" has to sign its JWT by its secret, not by a key`, setAuthenticator(settings)]
  },
  assertion_signature: {
    check: 'credentials',
    advice: ({ clientId }) => [
      `the assertion is signed by another key than the client "${clientId}" has in Keycloak`,
      'give the client the public part of clientAssertion.key (Keys tab), under the kid that keyId names'
    ]
  },
  assertion_key_unknown: {
    check: 'credentials',
    advice: ({ clientId }) => [
      `the client "${clientId}" has no key for the kid and the algorithm of the assertion`,
      'give it the key (Keys tab: a JWKS URL that Keycloak reaches, or keys with kid, "use": "sig" and alg), and let keyId be its kid'
    ]
  },
  assertion_algorithm: {
    check: 'credentials',
    advice: ({ clientId }) => [
      `the client "${clientId}" demands assertions of another algorithm`,
      'let clientAssertion.algorithm be its Signature Algorithm in Keycloak (Credentials tab), or set that to "Any algorithm"'
    ]
  },
  assertion_expired: { check: 'credentials', advice: (settings) => ['the assertion has expired', isSigned(settings) ? `${OWN_CLOCK}: the assertion was made for this call, for a minute` : `return one from the function clientAssertion that is still valid; or ${CLOCKS}`] },
  assertion_early: { check: 'credentials', advice: () => ['the assertion comes from the future', `${OWN_CLOCK}: Keycloak allows 15 s`] },
  assertion_audience: {
    check: 'credentials',
    advice: ({ issuer }) => ['the assertion is for another audience', `let "${issuer}", the issuer of the realm, be its only audience (aud); a wrong hostname option of Keycloak has the same effect`]
  },
  assertion_claims: { check: 'credentials', advice: () => ['the assertion lacks a claim', 'give it exp, iat, and jti if Keycloak knows its issuer as a provider of OpenID Connect'] },
  assertion_reused: { check: 'credentials', advice: () => ['the assertion was used before', 'return a new one at each call of the function clientAssertion'] },
  client_protocol: {
    check: 'credentials',
    advice: ({ clientId }) => [`the client "${clientId}" is a SAML client`, 'name this API\'s own client of OpenID Connect by clientId']
  },
  client_policy: {
    check: 'credentials',
    advice: (settings, realm) => [
      `a client policy of the realm "${realm}" forbids the client "${settings.clientId}" to ask, or to ask by ${proofOf(settings)}`,
      'exempt the client in Keycloak (Realm settings, Client policies)'
    ]
  },
  secret_wrong: {
    check: 'credentials',
    advice: (settings) => {
      const { problem, cure } = wrongCredentials(settings)
      if (settings.clientSecret !== undefined) return [`${problem} of the client "${settings.clientId}"`, cure]
      return [`the client "${settings.clientId}" has to prove itself by a secret, not by ${proofOf(settings)}`, setAuthenticator(settings)]
    }
  },
  credentials_refused: {
    check: 'credentials',
    advice: (settings) => {
      const { problem, cure } = wrongCredentials(settings)
      return [
        `${problem} of the client "${settings.clientId}", or there is no such client, or it is disabled, bearer-only or has to prove itself otherwise`,
        `${cure}, and look at clientId`
      ]
    }
  }
}

/**
 * Explain why Keycloak refuses a call, with the setting that cures it.
 * @param status absent if there was no response
 * @returns `undefined` for a reason that is not in the table
 */
export function explainRefusal (reasonCode: KeycloakReasonCode, status: number | undefined, settings: RealmSettings): Pick<Finding, 'check' | 'sentence'> | undefined {
  const known = KNOWN[reasonCode]
  if (known === undefined) return undefined
  const realm = new URL(settings.baseUrl).pathname.split('/').at(-1)!
  const [problem, cure] = known.advice(settings, realm)
  return { check: known.check, sentence: `${problem} (status ${status}): ${cure}` }
}

/** Does the plugin sign the assertions? */
function isSigned ({ clientAssertion }: RealmSettings): boolean {
  return typeof clientAssertion === 'object'
}
