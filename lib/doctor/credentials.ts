import type { UnavailableError } from '../errors.js'
import type { Introspection } from '../introspect.js'
import type { Settings } from '../options.js'
import type { Finding } from './finding.js'

/** Does Keycloak let this client introspect? A wrong secret would be 503 at each request. */
export async function checkCredentials (introspection: Introspection | undefined, settings: Settings): Promise<Finding | undefined> {
  try {
    await introspection?.probe()
    return undefined
  } catch (error) {
    const { reason, status, outage } = error as UnavailableError
    return {
      check: status === 401 || status === 403 ? 'credentials' : 'introspection',
      sentence: `${sentence(reason, status, settings)}; until then every request with a token is 503`,
      reason,
      certain: true,
      away: outage === 'away'
    }
  }
}

function sentence (reason: string, status: number | undefined, { clientId, clientSecret }: Settings): string {
  const client = JSON.stringify(clientId)
  if (status === 401) {
    const secret = typeof clientSecret === 'function' ? 'what the function clientSecret gave is' : 'clientSecret is'
    return `introspection: ${secret} not the secret of the client ${client}, or there is no such client (${reason}): copy it from the Credentials tab of the client in Keycloak, without white space around it, and look at clientId`
  }
  if (status === 403) {
    return `introspection: the client ${client} may not ask (${reason}): in Keycloak switch its Client authentication on, or name this API's own client by clientId and clientSecret`
  }
  if (reason.includes('clientSecret')) return `introspection: ${reason} within introspection.timeout: look at what it does`
  return `introspection does not work (${reason}): is a proxy in the way that blocks POST /protocol/openid-connect/token/introspect?`
}
