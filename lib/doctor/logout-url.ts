import type { UnavailableError } from '../errors.js'
import { KeycloakClient } from '../keycloak/client.js'
import type { Closing } from '../keycloak/closing.js'
import type { Response } from '../keycloak/response-handler.js'
import { member, parseObject } from '../util/strict-json.js'

/** Milliseconds that Keycloak would wait, too. */
const TIMEOUT = 5000

/** The plugin's answer has a hundred bytes. */
const MAX_BYTES = 16 * 1024
const MAX_DEPTH = 8

const AS_IN = 'in Keycloak write the URL of the API and the path of backchannelLogout into Backchannel logout URL of the client that users log in by'

/**
 * Check that a back-channel logout URL leads to the plugin's route: a POST without a logout token gets the error that OpenID
 * Connect Back-Channel Logout 1.0 section 2.8 demands. Nothing is logged out by that.
 * @returns the problem and its cure; `undefined` if the route answers
 */
export async function checkLogoutUrl (url: string, closing: Closing): Promise<string | undefined> {
  const client = new KeycloakClient({ name: 'api', baseUrl: url, verifyCertificate: true }, closing)
  const answer = client.fetch({ method: 'POST', path: '', form: '', timeout: TIMEOUT, maxBytes: MAX_BYTES, anyStatus: true })
  const unreachable = (error: UnavailableError): string =>
    `the back-channel logout URL cannot be reached from here (${error.reason}), so logouts would be lost: start the API, or correct the URL; ${AS_IN}`
  return answer.then(problemOf, unreachable).finally(() => client.close())
}

function problemOf ({ status, body }: Response): string | undefined {
  if (status === 400 && member(Object(parseObject(body, MAX_DEPTH)), 'error') === 'invalid_request') return undefined
  const found = `the back-channel logout URL answers status ${status}, and not as the route of backchannelLogout does`
  if (status === 404) return `${found}: set the option backchannelLogout, or correct the path; ${AS_IN}`
  if (status >= 300 && status < 400) return `${found}: it redirects, which Keycloak does not follow: write the address it leads to, such as https:// instead of http://; ${AS_IN}`
  if (status === 401 || status === 403) return `${found}: let Keycloak through a proxy before the API, and exempt the route from hooks that demand a login; ${AS_IN}`
  return `${found}: look at the API and at the proxy before it; ${AS_IN}`
}
