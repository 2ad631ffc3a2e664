import type { RealmSettings } from '../options/options.js'
import { type Finding, isShowable } from './finding.js'

/** Compares the issuer of the discovery document, which Keycloak writes into `iss`, with the option. */
export function checkIssuer (discovered: string, settings: RealmSettings): Finding | undefined {
  const { issuer, serverUrl } = settings
  if (discovered === issuer) return undefined
  if (!isShowable(discovered)) {
    // The two may be one URL in two spellings, as with an umlaut in the host; `iss` is compared by its characters.
    const right = URL.canParse(discovered) && sameUrl(discovered, issuer) ? `set the hostname option of Keycloak to "${issuer.replace(/\/realms\/[^/]*\/?$/, '')}"` : 'correct the hostname option of Keycloak'
    return mismatch(`Keycloak's issuer is not "${issuer}" but a value that is not a clean URL, so every token would be 401 token_not_valid: ${right}`)
  }
  if (serverUrl !== undefined && sameUrl(discovered, serverUrl)) return followsHost(discovered, settings)
  const { differences, elsewhere } = differ(issuer, discovered)
  const write = `write issuer: "${discovered}"`
  const keep = serverUrl === undefined && elsewhere ? `, and keep the address that works for the calls by serverUrl: "${settings.baseUrl}"` : ''
  const instead = elsewhere ? '; or, if tokens should carry the issuer of this option, set the hostname option of Keycloak' : ''
  return mismatch(`tokens will carry iss "${discovered}", but issuer is "${issuer}" (they differ in the ${differences.join(' and the ')}), so every token would be 401 token_not_valid: ${write}${keep}${instead}`)
}

function mismatch (sentence: string): Finding {
  return { check: 'issuer_mismatch', sentence, certain: true }
}

/**
 * Without a fixed host name, Keycloak takes its issuer from the URL of the call. Tokens from the public URL are valid then,
 * but Keycloak itself calls them inactive when it is asked through the other URL.
 */
function followsHost (discovered: string, { issuer, verifyTokensWithKeycloak }: RealmSettings): Finding {
  const harm = verifyTokensWithKeycloak
    ? 'so introspection there calls the tokens of issuer inactive'
    : 'so only tokens that were issued under issuer are valid'
  return {
    check: 'issuer_follows_host',
    sentence: `the issuer of Keycloak at serverUrl is "${discovered}" and not "${issuer}", ${harm}: set the hostname option of Keycloak to "${new URL(issuer).origin}"; or, if tokens carry the former, write issuer: "${discovered}"`,
    certain: verifyTokensWithKeycloak
  }
}

const PARTS = [['protocol', 'scheme'], ['hostname', 'host'], ['port', 'port'], ['pathname', 'path']] as const

/** The differences of two URLs in words, and whether the URLs lead to different places. */
function differ (one: string, other: string): { differences: string[], elsewhere: boolean } {
  if (one.replace(/\/$/, '') === other.replace(/\/$/, '')) return { differences: ['slash at the end'], elsewhere: false }
  if (one.toLowerCase() === other.toLowerCase()) return { differences: ['capital letters'], elsewhere: false }
  const [here, there] = [new URL(one), new URL(other)]
  const differences = PARTS.filter(([part]) => here[part] !== there[part]).map(([, name]) => name)
  return differences.length > 0 ? { differences, elsewhere: true } : { differences: ['way they are written'], elsewhere: false }
}

function sameUrl (one: string, other: string): boolean {
  return new URL(one).href.replace(/\/$/, '') === new URL(other).href.replace(/\/$/, '')
}
