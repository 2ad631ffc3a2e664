import { UnavailableError } from './errors.js'

/** What may be kept of a foreign error: its code, and only if it looks like one, since its text may quote what it should not. */
export function codeOf (error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : undefined
}

/** Why a call failed, for the log. Our own errors are told by their class: a foreign one may have any members, with any text. */
export function reasonOf (error: unknown): string {
  return error instanceof UnavailableError ? error.reason : codeOf(error) ?? 'the call failed'
}
