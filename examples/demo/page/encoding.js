// Bytes and texts, as JWTs and PKCE write them.

export const utf8 = (text) => new TextEncoder().encode(text)

export async function sha256 (text) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text)))
}

export function base64url (bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
