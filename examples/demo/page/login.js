// A login by authorization code with PKCE (RFC 7636), as a browser does it. Tokens stay in this page's memory.
import { base64url, sha256 } from './encoding.js'
import { createIssuer } from './issuer.js'
import { createKey } from './key.js'

/** What must outlive the way to the issuer and back. */
const PENDING = 'login under way'

const pendingLogin = () => JSON.parse(window.sessionStorage.getItem(PENDING))

/** The issuer that the browser was sent to, and may come back from. */
export const issuerUnderWay = () => pendingLogin()?.issuer

/** @param {{ issuer: string, clientId: string }} client */
export function createLogin ({ issuer, clientId }) {
  const { post, visit, lookAhead } = createIssuer({ issuer })
  const here = `${window.location.origin}/`

  /**
   * Leaves for the login page. Throws what went wrong.
   * @param {boolean} isBound are the tokens to be bound to a key?
   * @param {object} demand the parameters of a login that the API demands, and of whom
   */
  async function start (isBound, demand = {}) {
    const pending = { issuer, isBound, demand, state: random(), nonce: random(), verifier: random() }
    window.sessionStorage.setItem(PENDING, JSON.stringify(pending))
    await visit('auth', {
      client_id: clientId,
      redirect_uri: here,
      response_type: 'code',
      scope: 'openid',
      ...demand,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: base64url(await sha256(pending.verifier)),
      code_challenge_method: 'S256'
    })
  }

  /** Back from there: the tokens, their key and the demand, or null where nobody was on the way. Throws what went wrong. */
  async function finish () {
    const answer = new URLSearchParams(window.location.search)
    const pending = pendingLogin()
    window.sessionStorage.removeItem(PENDING)
    if (!answer.has('code') && !answer.has('error')) return null
    // A code in the address bar would be in the history, and in a Referer.
    window.history.replaceState(null, '', '/')
    if (answer.get('state') !== pending?.state) throw new Error('The answer is to no login of this page')
    // Which issuer answers: another one could mix its code in (RFC 9207).
    if (answer.get('iss') !== issuer) throw new Error('The answer is another issuer’s')
    if (answer.has('error')) throw new Error(answer.get('error_description') ?? answer.get('error'))
    const key = pending.isBound ? await createKey() : null
    const tokens = await post('token', { client_id: clientId, grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: here, code_verifier: pending.verifier }, key)
    // A server that does not know DPoP ignores the proof (RFC 9449 section 5).
    if (key !== null && tokens.token_type?.toLowerCase() !== 'dpop') throw new Error('The issuer did not bind the token to the key. Keycloak does so from 26.4 on')
    // OpenID Connect Core section 3.1.3.7. The signature may be left alone: the token came from the issuer itself.
    const id = payloadOf(tokens.id_token)
    if (id.iss !== issuer || id.aud !== clientId || id.nonce !== pending.nonce) throw new Error('The ID token is not for this login')
    return { tokens, key, demand: pending.demand }
  }

  /** New tokens for the same session, and for the same key. */
  const refresh = (tokens, key) => post('token', { client_id: clientId, grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, key)

  /** Ends the session without leaving the page. */
  const end = (tokens) => post('logout', { client_id: clientId, refresh_token: tokens.refresh_token })

  /** Leaves to end the session, and comes back. Throws what went wrong: the session goes on then. */
  const leave = (tokens) => visit('logout', { id_token_hint: tokens.id_token, post_logout_redirect_uri: here })

  return { issuer, start, finish, refresh, end, leave, lookAhead }
}

export const headerOf = (token) => part(token, 0)
export const payloadOf = (token) => part(token, 1)

function part (token, index) {
  const binary = atob(token.split('.')[index].replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}

function random () {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}
