import type { Check } from './check.js'
import type { TokenReport } from './token-explanation.js'

/** The result of the doctor, as `--json` prints it. Members are added, and never change their meaning. */
export interface Report {
  version: 1
  /** Is there no finding? Warnings are none. */
  ok: boolean
  checks: readonly Check[]
  token: TokenReport | null
}

export function reportOf (checks: readonly Check[], token: TokenReport | undefined): Report {
  return { version: 1, ok: checks.every(({ status }) => status !== 'failed'), checks, token: token ?? null }
}
