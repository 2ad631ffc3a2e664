import type { UnavailableError } from '../errors.js'
import type { Introspection } from '../introspection/introspection.js'
import { RefusedError } from '../keycloak/refusals.js'
import type { Settings } from '../options/options.js'
import type { Finding } from './finding.js'
import { explainRefusal, secretOf } from './refusal.js'

/** Does Keycloak let this client introspect? A wrong secret would be 503 at each request. */
export async function checkCredentials (introspection: Introspection | undefined, settings: Settings): Promise<Finding | undefined> {
  try {
    await introspection?.probe()
    return undefined
  } catch (error) {
    const { reason, failureKind } = error as UnavailableError
    const { check, sentence } = explained(error as UnavailableError, settings)
    return {
      check,
      sentence: `introspection${sentence}; until then every request with a token is 503`,
      reason,
      certain: true,
      away: failureKind === 'unreachable'
    }
  }
}

/** By what Keycloak said, or else by the status alone; what follows the word `introspection`. */
function explained (error: UnavailableError, settings: Settings): Pick<Finding, 'check' | 'sentence'> {
  const { reason } = error
  const known = error instanceof RefusedError ? explainRefusal(error.refusal, error.responseStatus!, settings) : undefined
  if (known !== undefined) return { ...known, sentence: `: ${known.sentence}` }
  if (reason.includes('clientSecret')) return { check: 'introspection', sentence: `: ${reason} within introspection.timeout: look at what it does` }
  return guess(error, settings)
}

function guess ({ reason, responseStatus: status }: UnavailableError, settings: Settings): Pick<Finding, 'check' | 'sentence'> {
  const client = JSON.stringify(settings.clientId)
  if (status === 401) {
    return {
      check: 'credentials',
      sentence: `: ${secretOf(settings)} not the secret of the client ${client}, or there is no such client (${reason}): copy it from the Credentials tab of the client in Keycloak, without white space around it, and look at clientId`
    }
  }
  if (status === 403) {
    return {
      check: 'credentials',
      sentence: `: the client ${client} may not ask (${reason}): in Keycloak switch its Client authentication on, or name this API's own client by clientId and clientSecret; or let this machine through what is before Keycloak`
    }
  }
  return {
    check: 'introspection',
    sentence: ` does not work (${reason}): is a proxy in the way that blocks POST /protocol/openid-connect/token/introspect?`
  }
}
