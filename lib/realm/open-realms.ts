import type { StartLog } from '../diagnostics/start-log.js'
import type { PluginSettings, Settings } from '../options/options.js'
import { warnOfRisks } from '../options/risky-settings.js'
import { type Authority, onlyRealm, severalRealms } from './authority.js'
import type { RealmDirectory } from './directory.js'
import { ListedRealms } from './listed-realms.js'
import { createRealm } from './realm.js'
import type { SharedByRealms } from './shared.js'

/** Opens the realms that the options name. One realm needs nothing that finds the realm of a token, unless requests are tied to names. */
export async function openRealms (issuers: Settings['issuers'], { selectIssuer }: PluginSettings, shared: SharedByRealms, log: StartLog): Promise<{ directory: RealmDirectory, authority: Authority }> {
  if (issuers.form === 'function') throw new Error('not built yet')
  for (const settings of issuers.realms) warnOfRisks(settings, log)
  const isOfSeveral = issuers.form === 'list'
  const realms = await Promise.all(issuers.realms.map((settings) => {
    const ownLog = isOfSeveral ? shared.log.child({ issuer: settings.name }) : shared.log
    return createRealm(settings, { ...shared, log: ownLog })
  }))
  const directory = new ListedRealms(realms, isOfSeveral)
  const authority = issuers.realms.length > 1 || selectIssuer !== undefined ? severalRealms(directory, shared) : onlyRealm(realms[0]!)
  return { directory, authority }
}
