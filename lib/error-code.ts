/** What may be kept of a foreign error: its code, and only if it looks like one, since its text may quote what it should not. */
export function codeOf (error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : undefined
}
