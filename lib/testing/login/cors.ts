/** The CORS headers for a page from one of the client's origins; no headers for other pages. */
export function corsHeaders (origin: string | undefined, redirectUris: readonly string[]): Record<string, string> {
  const allowed = redirectUris.some((uri) => new URL(uri).origin === origin)
  return { vary: 'Origin', ...(allowed && { 'access-control-allow-origin': origin! }) }
}

/** The further headers of the answer to a preflight. */
export const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Authorization, Content-Type, DPoP, X-Requested-With',
  'access-control-max-age': '600'
}
