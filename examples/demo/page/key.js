// A client whose tokens are bound to its key: it proves with each request that it has the key (DPoP, RFC 9449).
import { base64url, sha256, utf8 } from './encoding.js'

const json = (value) => base64url(utf8(JSON.stringify(value)))

/** Makes a key that cannot be exported: a hostile script can use it while it runs in this page, but cannot take it away. */
export async function createKey () {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const header = json({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })
  let nonce = null

  /** A proof for one request (section 4.2). The nonces are the API's, so the token endpoint gets none. */
  async function proof (method, url, token) {
    const { origin, pathname } = new URL(url, window.location.href)
    const claims = { jti: crypto.randomUUID(), htm: method, htu: origin + pathname, iat: Math.floor(Date.now() / 1000) }
    const ofApi = token === undefined ? {} : { ath: base64url(await sha256(token)), ...nonce !== null && { nonce } }
    const signed = `${header}.${json({ ...claims, ...ofApi })}`
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, utf8(signed))
    return `${signed}.${base64url(new Uint8Array(signature))}`
  }

  /** GETs from the API, and once more if it demands a nonce (section 9). Answers the proof that was sent, too. */
  async function get (url, token, mayRepeat = true) {
    const sent = await proof('GET', url, token)
    const response = await fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: sent } })
    nonce = response.headers.get('dpop-nonce') ?? nonce
    const isNonceDue = response.status === 401 && response.headers.get('www-authenticate')?.includes('error="use_dpop_nonce"')
    return isNonceDue && mayRepeat ? get(url, token, false) : { response, sent }
  }

  return { proof, get }
}
