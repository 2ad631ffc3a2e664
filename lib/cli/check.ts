import type { CheckName } from '../doctor/run-checks.js'
import { explained, type Reason } from '../reasons/reason.js'
import type { StepName } from '../token/verification-steps.js'

/** `failed` is a finding; a `warning` is a risk or a doubt, with which requests may succeed; `skipped` was not made. */
export type Status = 'passed' | 'failed' | 'warning' | 'skipped'

/** The checks of the doctor alone, beside those of the start and of the verification. */
type OwnCheck =
  | 'options' | 'realm' | 'logout_url'
  | 'authorization' | 'issuers' | 'binding' | 'introspection' | 'user' | 'scope' | 'permission' | 'roles' | 'login'

/** One line of the report. */
export interface Check {
  subject: 'keycloak' | 'api' | 'token'
  /** The issuer that it is about. */
  issuer?: string | undefined
  check: CheckName | StepName | OwnCheck
  status: Status
  /** The code of a finding or of a warning: docs/doctor.md explains it. */
  code?: string | undefined
  /** One sentence: the problem and its cure, or the good news. */
  message?: string | undefined
}

/** Makes the checks of one subject. */
export class CheckList {
  readonly checks: Check[] = []
  readonly #about: Pick<Check, 'subject' | 'issuer'>

  constructor (about: Pick<Check, 'subject' | 'issuer'>) {
    this.#about = about
  }

  add (check: Check['check'], status: Status, { code, message }: Pick<Check, 'code' | 'message'> = {}): void {
    this.checks.push({ ...this.#about, check, status, ...code !== undefined && { code }, ...message !== undefined && { message } })
  }

  /** A check that ended with a refusal of the plugin, if with any. */
  addRefusal (check: Check['check'], refusal: Reason | undefined, status: Status = 'failed'): void {
    if (refusal === undefined) this.add(check, 'passed')
    else this.add(check, status, { code: refusal.reasonCode, message: explained(refusal) })
  }
}
