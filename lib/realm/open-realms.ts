import { issuerLog } from '../diagnostics/issuer-log.js'
import type { PluginSettings, Settings } from '../options/options.js'
import { warnOfRisks } from '../options/risky-settings.js'
import { type Authority, onlyRealm, severalRealms } from './authority.js'
import type { RealmDirectory } from './directory.js'
import { ListedRealms } from './listed-realms.js'
import { createRealm } from './realm.js'
import type { SharedByRealms } from './shared.js'

/** Opens the realms that the options name. One realm needs nothing that finds the realm of a token, unless requests are tied to names. */
export async function openRealms (issuers: Settings['issuers'], { selectIssuer }: PluginSettings, shared: SharedByRealms): Promise<{ directory: RealmDirectory, authority: Authority }> {
  if (issuers.form === 'function') {
    const { createTenants } = await import('./tenant-directory.js')
    const directory = createTenants(issuers, shared)
    return { directory, authority: severalRealms(directory, shared) }
  }
  const { isOfSeveral, startLog } = shared
  for (const settings of issuers.realms) warnOfRisks(settings, isOfSeveral ? issuerLog(startLog, settings.name) : startLog)
  const realms = await Promise.all(issuers.realms.map((settings) => createRealm(settings, shared)))
  const directory = new ListedRealms(realms, isOfSeveral)
  const authority = issuers.realms.length > 1 || selectIssuer !== undefined ? severalRealms(directory, shared) : onlyRealm(realms[0]!)
  return { directory, authority }
}
