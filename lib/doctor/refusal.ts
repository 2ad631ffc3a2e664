import type { KeycloakReasonCode } from '../reasons/reason.js'
import type { RealmSettings } from '../options/options.js'
import { addressOption, type Finding } from './finding.js'

/** A problem and its cure. */
type Advice = [problem: string, cure: string]

/** The meaning of a refusal for this API. */
interface Known {
  check: Finding['check']
  /** @param realm the name of the realm, from the URL */
  advice: (settings: RealmSettings, realm: string) => Advice
}

const BY_SECRET = 'in its Credentials tab in Keycloak set Client Authenticator to "Client Id and Secret"'
const COPY = 'copy it from the Credentials tab of the client in Keycloak, without white space around it'

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
    advice: ({ clientId }, realm) => [
      `the realm "${realm}" has no client "${clientId}" that is enabled and has a secret`,
      `correct clientId, where small and capital letters count; or switch that client on; or ${BY_SECRET}`
    ]
  },
  client_assertion: {
    check: 'credentials',
    advice: ({ clientId }) => [`the client "${clientId}" has to prove itself by a signed JWT, not by a secret`, BY_SECRET]
  },
  client_protocol: {
    check: 'credentials',
    advice: ({ clientId }) => [`the client "${clientId}" is a SAML client`, 'name this API\'s own client of OpenID Connect by clientId']
  },
  client_policy: {
    check: 'credentials',
    advice: ({ clientId }, realm) => [
      `a client policy of the realm "${realm}" forbids the client "${clientId}" to ask, or to ask by a secret`,
      'exempt the client in Keycloak (Realm settings, Client policies)'
    ]
  },
  secret_wrong: {
    check: 'credentials',
    advice: (settings) => [`${secretOf(settings)} not the secret of the client "${settings.clientId}"`, COPY]
  },
  credentials_refused: {
    check: 'credentials',
    advice: (settings) => [
      `${secretOf(settings)} not the secret of the client "${settings.clientId}", or there is no such client, or it is disabled, bearer-only or has to prove itself otherwise`,
      `${COPY}, and look at clientId`
    ]
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

/** The beginning of a sentence about the secret. */
export function secretOf ({ clientSecret }: RealmSettings): string {
  return typeof clientSecret === 'function' ? 'the value that the function clientSecret returned is' : 'clientSecret is'
}
