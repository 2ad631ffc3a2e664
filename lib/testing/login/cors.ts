/** The CORS headers for a page of an origin that may call; no headers for other pages. */
export function corsHeaders (origin: string | undefined, mayCall: (origin: string) => boolean): Record<string, string> {
  return { vary: 'Origin', ...(origin !== undefined && mayCall(origin) && { 'access-control-allow-origin': origin }) }
}

/** The further headers of the answer to a preflight. */
export const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'Authorization, Content-Type, DPoP, X-Requested-With',
  'access-control-max-age': '600'
}
