import type { Response } from '../keycloak/response-handler.js'
import { member, parseObject } from '../util/strict-json.js'
import { refusalIn } from '../keycloak/refusals.js'
import type { RealmSettings } from '../options/options.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { plainReason, type Reason } from '../reasons/reason.js'
import { addressOption, type Finding, isShowable } from './finding.js'
import { unreachable } from './reach.js'
import { explainRefusal } from './refusal.js'
import { wallMilliseconds } from '../util/clock.js'

/** OpenID Connect Discovery 1.0 section 4. */
const PATH = '/.well-known/openid-configuration'

/** Keycloak's document has 6.5 kB. */
const MAX_BYTES = 128 * 1024
const MAX_DEPTH = 16

/** The issuer of a discovery document, and the headers and times of the response. */
export interface Discovered {
  issuer: string
  headers: Response['headers']
  /** Milliseconds since 1970, before and after the call. */
  asked: number
  answered: number
}

/** Read the realm's discovery document. If that fails, the result is the finding that explains why. */
export async function discover (keycloakClient: KeycloakClient, settings: RealmSettings): Promise<Discovered | Finding> {
  const asked = wallMilliseconds()
  let answer: Response
  try {
    answer = await keycloakClient.fetch({ method: 'GET', path: PATH, timeout: settings.jwks.timeout, maxBytes: MAX_BYTES, anyStatus: true })
  } catch (error) {
    return unreachable(error, settings)
  }
  const answered = wallMilliseconds()
  if (answer.status !== 200) return refused(answer, settings)
  const issuer = member(parseObject(answer.body, MAX_DEPTH) ?? {}, 'issuer')
  if (typeof issuer !== 'string') return stranger(settings, plainReason('discovery_malformed'))
  return { issuer, headers: answer.headers, asked, answered }
}

function refused ({ status, headers, body }: Response, settings: RealmSettings): Finding {
  const { baseUrl } = settings
  const option = addressOption(settings)
  const reason = `status ${status}`
  const reasonCode = refusalIn(status, body) ?? 'status_unexpected'
  const known = explainRefusal(reasonCode, status, settings)
  if (known !== undefined) return { ...known, reason, reasonCode, certain: true }
  if (status === 404) return { check: 'realm_unknown', sentence: notThere(reasonCode === 'realm_unknown', settings), reason, reasonCode, certain: true }
  if (status >= 500) {
    const sentence = `Keycloak cannot be reached at ${baseUrl} (${reason}): it is still starting, or the proxy before it has no server to send to; ${option} is the address that was tried`
    return { check: 'unreachable', sentence, reason, reasonCode, certain: true, away: true }
  }
  if (status >= 300 && status < 400) {
    const sentence = `${baseUrl} redirects (${reason}), which is not followed: ${destination(headers.location, option)}`
    return { check: 'redirect', sentence, reason, reasonCode, certain: true }
  }
  if (status === 401 || status === 403) {
    const sentence = `a proxy before Keycloak forbids ${baseUrl} (${reason}): let this machine through to /realms/, or write another address into serverUrl`
    return { check: 'not_keycloak', sentence, reason, reasonCode, certain: true }
  }
  return stranger(settings, { reason, reasonCode })
}

/** The advice about a redirect. It names the target only if that is the URL of a realm. */
function destination (location: string | undefined, option: string): string {
  const target = String(location).replace(PATH, '')
  return isShowable(target) ? `write ${option}: "${target}", if that is your Keycloak` : `write the address it leads to into ${option}, such as https:// instead of http://`
}

/**
 * A 404 means an unknown realm, or a path that Keycloak does not have.
 * @param isKnown whether Keycloak said that the realm is unknown
 */
function notThere (isKnown: boolean, settings: RealmSettings): string {
  const { baseUrl, issuer } = settings
  const option = addressOption(settings)
  const { origin, pathname } = new URL(baseUrl)
  const [, before, name] = /^(.*)\/realms\/([^/]+)$/.exec(pathname) ?? []
  if (name === undefined) {
    const [realmPath] = /\/realms\/[^/]+$/.exec(new URL(issuer).pathname) ?? ['/realms/acme']
    return `${baseUrl} is not the URL of a realm (status 404): write ${option} with /realms/ and the realm's name at its end, such as "${origin}${realmPath}"`
  }
  if (isKnown) return `Keycloak has no realm "${name}" (status 404): correct the end of ${option}, where small and capital letters count`
  const other = before!.endsWith('/auth') ? before!.slice(0, -'/auth'.length) : `${before}/auth`
  return `Keycloak has no realm at ${baseUrl} (status 404): correct the realm's name, where small and capital letters count, or the path before it, as in ${option}: "${origin}${other}/realms/${name}" (Keycloak up to 16, and later versions with http-relative-path, have /auth there)`
}

function stranger (settings: RealmSettings, { reason, reasonCode }: Reason): Finding {
  return {
    check: 'not_keycloak',
    sentence: `the server at ${settings.baseUrl} is not Keycloak (${reason}): correct ${addressOption(settings)}, whose path ends in /realms/ and the realm's name`,
    reason,
    reasonCode,
    certain: true
  }
}
