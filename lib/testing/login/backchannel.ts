/** Milliseconds. */
const TIMEOUT = 5000

/**
 * Tells a client that a session is over (OpenID Connect Back-Channel Logout 1.0 section 2.5). Like Keycloak it waits for
 * the answer, whatever that is, and does not try again.
 */
export async function tell (url: string, logoutToken: string): Promise<void> {
  const body = new URLSearchParams({ logout_token: logoutToken })
  try {
    const response = await fetch(url, { method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) })
    await response.body?.cancel()
  } catch {}
}
