import type { RealmSettings } from '../options/options.js'
import { type Finding, isShowable } from './finding.js'

/** What Keycloak writes into `iss` by its discovery document, against the option. */
export function checkIssuer (discovered: string, settings: RealmSettings): Finding | undefined {
  const { issuer, serverUrl } = settings
  if (discovered === issuer) return undefined
  if (!isShowable(discovered)) {
    // As with an umlaut in the host: the same URL, but not as tokens may carry it.
    const right = URL.canParse(discovered) && sameUrl(discovered, issuer) ? `set the hostname option of Keycloak to "${issuer.replace(/\/realms\/[^/]*\/?$/, '')}"` : 'correct the hostname option of Keycloak'
    return mismatch(`Keycloak's issuer is not "${issuer}" but something that is no clean URL, so every token would be 401 token_not_valid: ${right}`)
  }
  if (serverUrl !== undefined && sameUrl(discovered, serverUrl)) return followsHost(discovered, settings)
  const { differences, elsewhere } = differ(issuer, discovered)
  const write = `write issuer: "${discovered}"`
  const keep = serverUrl === undefined && elsewhere ? `, and keep the calls where they work by serverUrl: "${settings.baseUrl}"` : ''
  const instead = elsewhere ? '; or, if tokens should say what issuer says, set the hostname option of Keycloak' : ''
  return mismatch(`tokens will carry iss "${discovered}", but issuer is "${issuer}" (they differ in the ${differences.join(' and the ')}), so every token would be 401 token_not_valid: ${write}${keep}${instead}`)
}

function mismatch (sentence: string): Finding {
  return { check: 'issuer_mismatch', sentence, certain: true }
}

/**
 * Without a fixed host name Keycloak is called whatever it was asked by. Tokens made by way of the public URL are then
 * good, but not where Keycloak itself looks at them by way of the other.
 */
function followsHost (discovered: string, { issuer, verifyTokensWithKeycloak }: RealmSettings): Finding {
  const harm = verifyTokensWithKeycloak
    ? 'so introspection by way of it calls the tokens of issuer inactive'
    : 'so tokens pass only where they were issued by way of issuer'
  return {
    check: 'issuer_follows_host',
    sentence: `Keycloak, asked by way of serverUrl, calls itself "${discovered}" and not "${issuer}", ${harm}: set the hostname option of Keycloak to "${new URL(issuer).origin}"; or, if that is what tokens carry, write issuer: "${discovered}"`,
    certain: verifyTokensWithKeycloak
  }
}

const PARTS = [['protocol', 'scheme'], ['hostname', 'host'], ['port', 'port'], ['pathname', 'path']] as const

/** In what two URLs differ, in words, and whether they lead elsewhere. */
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
