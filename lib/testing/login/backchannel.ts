/** Milliseconds for the whole call. */
const TIMEOUT = 5000

/**
 * Tells a client that a session has ended (OpenID Connect Back-Channel Logout 1.0 section 2.5). As in Keycloak, it waits for
 * any answer, and does not try again.
 */
export async function tell (url: string, logoutToken: string): Promise<void> {
  const body = new URLSearchParams({ logout_token: logoutToken })
  try {
    const response = await fetch(url, { method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) })
    await response.body?.cancel()
  } catch {}
}
