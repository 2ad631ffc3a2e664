import { AUD_DEMANDED_FROM } from '../options/keycloak-versions.js'
import type { RealmSettings } from '../options/options.js'
import type { Finding } from './finding.js'

/** Keycloak tells a client nothing about tokens that are not for it. A token may be for several, though. */
export function checkAudience ({ audience, clientId, verifyTokensWithKeycloak }: RealmSettings): Finding | undefined {
  if (!verifyTokensWithKeycloak || audience === null || audience.includes(clientId)) return undefined
  const client = JSON.stringify(clientId)
  return {
    check: 'audience',
    sentence: `audience lacks clientId ${client}: Keycloak ${AUD_DEMANDED_FROM} calls tokens inactive whose aud lacks the client that introspects them; add ${client} to audience, or to the tokens by an audience mapper`,
    certain: false
  }
}
