import { AUD_DEMANDED_FROM } from '../options/keycloak-versions.js'
import type { RealmSettings } from '../options/options.js'
import type { Finding } from './finding.js'

/** Keycloak calls a token inactive if its `aud` lacks the client that asks. Only doubtful: a token's `aud` may name more than the option. */
export function checkAudience ({ audience, clientId, verifyTokensWithKeycloak }: RealmSettings): Finding | undefined {
  if (!verifyTokensWithKeycloak || audience === null || audience.includes(clientId)) return undefined
  const client = JSON.stringify(clientId)
  return {
    check: 'audience',
    sentence: `audience lacks clientId ${client}: Keycloak ${AUD_DEMANDED_FROM} calls tokens inactive whose aud lacks the client that introspects them; add ${client} to audience, or to the tokens by an audience mapper`,
    certain: false
  }
}
