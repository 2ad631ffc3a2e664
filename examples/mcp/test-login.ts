const MAX_PAGES = 10

/**
 * A login as in a browser, by the forms that the test realm and Keycloak show: password, one-time code of the test realm, consent.
 * @param url the authorization request
 * @returns the parameters of the redirect to the client
 * @throws {Error} if the realm refuses the request, or the login fails
 */
export async function logIn (url: URL, redirectUri: string, username: string): Promise<URLSearchParams> {
  const cookies = new Map<string, string>()
  let response = await visit(cookies, url)
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const location = response.headers.get('location')
    if (location?.startsWith(redirectUri)) return answerOf(new URL(location).searchParams)
    if (location !== null) response = await visit(cookies, new URL(location, url))
    else {
      const { action, fields } = formOf(await response.text(), username)
      response = await visit(cookies, new URL(action, url), fields)
    }
  }
  throw new Error(`The login of ${username} does not end`)
}

async function visit (cookies: Map<string, string>, url: URL, body?: URLSearchParams): Promise<Response> {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
  const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...(body && { method: 'POST', body }) })
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
    cookies.set(name!, value!)
  }
  return response
}

function answerOf (parameters: URLSearchParams): URLSearchParams {
  if (parameters.has('error')) throw new Error(`The realm refuses: ${parameters.get('error_description')}`)
  return parameters
}

/** The form of a page, filled in. */
function formOf (html: string, username: string): { action: string, fields: URLSearchParams } {
  const [, action] = /<form [^>]*action="([^"]+)"/.exec(html) ?? []
  if (action === undefined || html.includes('role="alert"')) throw new Error(`The login of ${username} failed`)
  const [, otp] = /One-time code \(here always <code>(\d+)/.exec(html) ?? []
  const fields: Record<string, string> = html.includes('name="accept"')
    ? { accept: 'Yes', code: /name="code" value="([^"]*)"/.exec(html)?.[1] ?? '' }
    : { username, password: `${username}-pw`, ...(otp !== undefined && { otp }) }
  return { action: action.replaceAll('&amp;', '&'), fields: new URLSearchParams(fields) }
}
