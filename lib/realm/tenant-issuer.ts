import { isRealmUrl, realmUrlFault } from '../options/realm-url.js'

/** Characters. A realm's name has up to 255, each of which takes up to 12 when it is encoded; usual ones take one. */
const MAX_LENGTH = 2048

/** The path of a realm, as Keycloak writes it: no empty segment, no slash at its end. */
const PATH = /^https?:\/\/[^/]+(?:\/[^/]+)*\/realms\/[^/]+$/

/** An encoding in small letters, or one of a character that needs none (RFC 3986 section 6.2.2). */
const UNUSUAL_ENCODING = /%(?![\dA-F]{2})|%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/

/**
 * May the function `issuers` be asked about this `iss`? Only about the URL of a realm in its canonical form, so that a stranger
 * cannot make many issuers of one: no capital letters in the host, no default port, no needless encoding, no slash at the end.
 */
export function isTenantIssuer (iss: string): boolean {
  if (iss.length > MAX_LENGTH || !isRealmUrl(iss) || !PATH.test(iss) || UNUSUAL_ENCODING.test(iss)) return false
  return new URL(iss).href === iss && realmUrlFault(iss) === undefined
}
