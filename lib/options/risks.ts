import type { KeycloakRisk } from '../../types/options.js'
import type { StartLog } from '../diagnostics/start-log.js'

/** All risks, each of which docs/production.md explains. The value: is a warning written in production alone? */
const RISKS = {
  signature_unchecked: false,
  certificate_unchecked: false,
  audience_unchecked: false,
  account_roles: false,
  email_as_id: false,
  client_secret_unused: false,
  logout_of_own_client: false,
  dpop_url_unknown: false,
  mtls_without_tls: false,
  user_id_mutable: true,
  http_unencrypted: true,
  token_lifetime_unlimited: true,
  replay_store_local: true
} as const satisfies Record<KeycloakRisk, boolean>

/** The codes of all risks. */
export const RISK_CODES = Object.keys(RISKS) as [KeycloakRisk, ...KeycloakRisk[]]

/** Is a risk one that development and tests usually take? */
export function isOfProduction (code: KeycloakRisk): boolean {
  return RISKS[code]
}

/** Warns of a risk that was found. */
export type ReportRisk = (code: KeycloakRisk, sentence: string) => void

/** @returns a function that warns of a risk, unless the option `acceptRisks` has its code */
export function createRiskReport (accepted: readonly KeycloakRisk[], log: StartLog): ReportRisk {
  return (code, sentence) => {
    if (!accepted.includes(code)) log.warn({ code }, `${sentence}. See docs/production.md#${code}`)
  }
}
