// Calls of the API, and what its answers say.
import { written } from './table.js'

/** Calls the API anonymously, with a token, or with a token and a proof by its key. */
export async function call (url, token, key = null) {
  if (key !== null) return (await key.get(url, token)).response
  return fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
}

/** The status of a response, its code and body, and the login that it demands. */
export async function answerOf (calling) {
  try {
    const response = await calling
    const body = await response.json()
    return { status: response.status, code: body.code ?? '', body: response.ok ? written(body) : body.message, demand: demandOf(response) }
  } catch {
    return { status: 'nothing', code: '', body: 'Does the API still run?', demand: null }
  }
}

/** The parameters of the login that a response demands (RFC 9470); `null` if it demands none. */
function demandOf (response) {
  const challenge = response.headers.get('www-authenticate') ?? ''
  if (response.status !== 401 || !challenge.includes('error="insufficient_user_authentication"')) return null
  return Object.fromEntries(Array.from(challenge.matchAll(/\b(acr_values|max_age)="([^"]*)"/g), ([, name, value]) => [name, value]))
}
