import type { Settings } from '../options.js'
import type { Finding } from './finding.js'

/** Keycloak from 26.7 on tells a client nothing about tokens that are not for it. A token may be for several, though. */
export function checkAudience ({ audience, clientId, verifyTokensWithKeycloak }: Settings): Finding | undefined {
  if (!verifyTokensWithKeycloak || audience === null || audience.includes(clientId)) return undefined
  const client = JSON.stringify(clientId)
  return {
    check: 'audience',
    sentence: `audience lacks clientId ${client}: Keycloak from 26.7 on calls tokens inactive whose aud lacks the client that introspects them; add ${client} to audience, or to the tokens by an audience mapper`,
    certain: false
  }
}
