import type { Issuer } from './issuer.js'

/** What `npm start` prints. */
export function greeting (url: string, { options, realm, webClientId }: Issuer): string {
  return realm === undefined ? onKeycloak(url, options, webClientId) : onEmbeddedRealm(url, realm.issuer)
}

function onEmbeddedRealm (url: string, issuer: string): string {
  const token = (username: string) => `-H "Authorization: Bearer $(curl -s ${url}/token/${username})"`
  return `
Open ${url}/ and log in as alice (alice-pw), bob (bob-pw) or carol (carol-pw).

The API is at ${url}, its documentation at ${url}/docs
It trusts a realm that lives in this process, with test keys: ${issuer}

  nobody                     curl -i ${url}/hello
  nobody, refused: 401       curl -i ${url}/profile
  bob, any token will do     curl -i ${url}/me ${token('bob')}
  bob, no permission: 403    curl -i ${url}/profile ${token('bob')}
  alice, with permission     curl -i ${url}/profile ${token('alice')}
  carol, inactive: 401       curl -i ${url}/profile ${token('carol')}
  a token of nobody's: 401   curl -i ${url}/profile -H "Authorization: Bearer x.y.z"

Ctrl+C ends it.`
}

function onKeycloak (url: string, { issuer, clientId, verifyTokensWithKeycloak }: Issuer['options'], webClientId: string): string {
  return `
Open ${url}/ and log in by the client ${webClientId}.

The API is at ${url}, its documentation at ${url}/docs
It trusts ${issuer}${verifyTokensWithKeycloak === true ? ', and asks it about each token' : ''}.

  nobody                     curl -i ${url}/hello
  nobody, refused: 401       curl -i ${url}/profile
  you                        TOKEN=...   # an access token of the realm
                             curl -i ${url}/me -H "Authorization: Bearer $TOKEN"
                             curl -i ${url}/profile -H "Authorization: Bearer $TOKEN"

/profile asks for the role read-profile of the client ${clientId}. The login needs in Keycloak a public client
${webClientId} with the redirect URIs ${url}/ and ${url}/docs/static/oauth2-redirect.html,
and the web origin ${url}. Ctrl+C ends it.`
}
