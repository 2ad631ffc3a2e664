import type { UnavailableError } from '../errors.js'
import type { Introspection } from '../introspection/introspection.js'
import type { RealmSettings } from '../options/options.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import { wrongCredentials } from './client-authentication.js'
import type { Finding } from './finding.js'
import { explainRefusal } from './refusal.js'

/** Check that Keycloak lets this client introspect: with a wrong secret every request with a token would be 503. */
export async function checkCredentials (introspection: Introspection | undefined, settings: RealmSettings): Promise<Finding | undefined> {
  try {
    await introspection?.probe()
    return undefined
  } catch (error) {
    const { reason, reasonCode, failureKind } = error as UnavailableError
    const { check, sentence } = explained(error as UnavailableError, settings)
    return {
      check,
      sentence: `introspection${sentence}; until then every request with a token is 503`,
      reason,
      reasonCode,
      certain: true,
      away: failureKind === 'unreachable'
    }
  }
}

/** The functions that return credentials, and failed. */
const MISSING: ReadonlySet<KeycloakReasonCode> = new Set(['secret_missing', 'client_key_missing', 'assertion_missing', 'client_certificate_missing'])

/** The rest of a sentence that begins with `introspection`, chosen by Keycloak's reason or, without one, by the status. */
function explained (error: UnavailableError, settings: RealmSettings): Pick<Finding, 'check' | 'sentence'> {
  const { reason, reasonCode, responseStatus } = error
  const known = explainRefusal(reasonCode, responseStatus, settings)
  if (known !== undefined) return { ...known, sentence: `: ${known.sentence}` }
  if (MISSING.has(reasonCode)) return { check: 'introspection', sentence: `: ${reason} within introspection.timeout: correct it` }
  return byStatus(error, settings)
}

function byStatus ({ reason, responseStatus: status }: UnavailableError, settings: RealmSettings): Pick<Finding, 'check' | 'sentence'> {
  const client = JSON.stringify(settings.clientId)
  if (status === 401) {
    const { problem, cure } = wrongCredentials(settings)
    return {
      check: 'credentials',
      sentence: `: ${problem} of the client ${client}, or there is no such client (${reason}): ${cure}, and look at clientId`
    }
  }
  if (status === 403) {
    return {
      check: 'credentials',
      sentence: `: the client ${client} may not ask (${reason}): in Keycloak switch its Client authentication on, or name this API's own client by clientId and clientSecret; or let this machine through the proxy before Keycloak`
    }
  }
  return {
    check: 'introspection',
    sentence: ` does not work (${reason}): check whether a proxy blocks POST /protocol/openid-connect/token/introspect`
  }
}
