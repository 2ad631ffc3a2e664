import { type KeycloakError, type KeycloakErrorCode, refusal } from '../errors.js'
import { refusalIn, refusedBy } from '../keycloak/refusals.js'
import type { TokenReply } from '../keycloak/token-endpoint.js'
import { type KeycloakReasonCode, plainReason, type Reason, reasonFor } from '../reasons/reason.js'
import { shown } from '../util/shown.js'

/** A token that the application wants. */
export interface WantedToken {
  /** `undefined` for a token of the API itself. */
  readonly audience: string | undefined
  readonly scope: string | undefined
}

type Refusal = readonly [code: KeycloakErrorCode, reason: KeycloakReasonCode]

/** `error` and `error_description` of Keycloak's answers, as 26.7.3 and 26.4.7 were seen to write them. */
const TEXTS: ReadonlyMap<string, Refusal> = new Map([
  ['invalid_request: Invalid token', ['token_not_valid', 'exchange_token_refused']],
  ['access_denied: Client is not within the token audience', ['permission_denied', 'exchange_not_in_audience']],
  ['invalid_client: Audience not found', ['exchange_refused', 'exchange_audience_unknown']],
  ['invalid_request: Standard token exchange is not enabled for the requested client', ['exchange_refused', 'exchange_off']],
  ['invalid_request: Sender-constrained token exchange rejected as the token was not issued for the requesting client', ['exchange_refused', 'exchange_bound']],
  ['unauthorized_client: Client not enabled to retrieve service account', ['exchange_refused', 'service_account_off']],
  ['unauthorized_client: Public client not allowed to retrieve service account', ['exchange_refused', 'service_account_off']],
  ['invalid_request: DPoP proof is missing', ['exchange_refused', 'service_token_bound']],
  ['invalid_request: Client Certification missing for MTLS HoK Token Binding', ['exchange_refused', 'service_token_bound']]
])

/** The texts of others end with a name. */
const UNAVAILABLE_AUDIENCE = 'Requested audience not available'

/**
 * The error for an answer that is no token. The texts of Keycloak are compared, and never shown.
 * @returns keycloak_unavailable if it is about this client's credentials, or no answer of Keycloak's
 */
export function refusalOf (reply: TokenReply, wanted: WantedToken): KeycloakError {
  const { status, body } = reply
  const about = refusalIn(status, body)
  if (about !== undefined && about !== 'question_refused') return refusedBy(status, body)
  const known = refusalBy(reply, wanted) ?? (about === 'question_refused' ? REFUSED : undefined)
  if (known === undefined) return refusedBy(status, body)
  const [code, reason] = known
  return refusal(code, () => explained(reason, wanted))
}

/** Keycloak refuses the call in words that are not known here. */
const REFUSED: Refusal = ['exchange_refused', 'service_token_refused']

function refusalBy ({ error, description = '' }: TokenReply, { audience }: WantedToken): Refusal | undefined {
  const known = TEXTS.get(`${error}: ${description}`)
  if (known !== undefined) return known
  if (error === 'invalid_scope') return ['exchange_refused', 'service_scope_unknown']
  if (audience === undefined) return undefined
  if (error === 'invalid_request' && description.startsWith(UNAVAILABLE_AUDIENCE)) return ['exchange_refused', 'exchange_audience_unavailable']
  return error === 'access_denied' ? ['permission_denied', 'exchange_denied'] : undefined
}

/** The reason with what was wanted, which comes from the application and is shown if it is short and plain. */
function explained (reason: KeycloakReasonCode, { audience, scope }: WantedToken): Reason {
  switch (reason) {
    case 'service_scope_unknown': return reasonFor(reason, { scope: shown(scope) })
    case 'exchange_audience_unknown':
    case 'exchange_audience_unavailable':
      return reasonFor(reason, { audience: shown(audience) })
    default: return plainReason(reason)
  }
}
