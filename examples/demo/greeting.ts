import type { Issuer } from './issuer.js'

/** What `npm start` prints. */
export function greeting (url: string, issuer: Issuer): string {
  return issuer.realm === undefined ? onKeycloak(url, issuer) : onEmbeddedRealms(url, issuer)
}

function onEmbeddedRealms (url: string, { logins }: Issuer): string {
  const token = (username: string) => `-H "Authorization: Bearer $(curl -s ${url}/token/${username})"`
  return `
Open ${url}/ and log in as alice (alice-pw), bob (bob-pw) or carol (carol-pw),
or as paula (paula-pw) of another realm.

The API is at ${url}, its documentation at ${url}/docs
It trusts two realms that live in this process, with test keys:
${logins.map(({ issuer }) => issuer).join('\n')}

  nobody                     curl -i ${url}/hello
  nobody, refused: 401       curl -i ${url}/profile
  bob, any token will do     curl -i ${url}/me ${token('bob')}
  bob, no permission: 403    curl -i ${url}/profile ${token('bob')}
  alice, with permission     curl -i ${url}/profile ${token('alice')}
  carol, inactive: 401       curl -i ${url}/profile ${token('carol')}
  alice, too weak: 401       curl -i ${url}/vault ${token('alice')}
  paula, another realm       curl -i ${url}/partners ${token('paula')}
  alice, wrong realm: 403    curl -i ${url}/partners ${token('alice')}
  a token of nobody's: 401   curl -i ${url}/profile -H "Authorization: Bearer x.y.z"

Ctrl+C ends it.`
}

function onKeycloak (url: string, { logins: [{ issuer }], options: { verifyTokensWithKeycloak }, clientId, webClientId }: Issuer): string {
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
