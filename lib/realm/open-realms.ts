import { issuerLog } from '../diagnostics/issuer-log.js'
import type { IssuerFunction, LogoutSettings, Settings } from '../options/options.js'
import { warnOfRisks } from '../options/risky-settings.js'
import type { NeedRealm } from '../revocation/issuer-lookup.js'
import type { Revocations } from '../revocation/revocations.js'
import { type Authority, onlyRealm, severalRealms } from './authority.js'
import type { RealmDirectory } from './directory.js'
import { ListedRealms } from './listed-realms.js'
import { createRealm } from './realm.js'
import type { SharedByRealms } from './shared.js'

/** Opens the realms that the options name. One realm needs nothing that finds the realm of a token, unless requests are tied to names. */
export async function openRealms ({ issuers, logout, plugin: { selectIssuer } }: Settings, common: Omit<SharedByRealms, 'revocations'>): Promise<{ directory: RealmDirectory, authority: Authority }> {
  if (issuers.form === 'function') return openTenants(issuers, logout, common)
  const { isOfSeveral, startLog } = common
  const revocations = logout && await openRevocations(logout, undefined, common)
  const shared = { ...common, revocations }
  for (const settings of issuers.realms) warnOfRisks(settings, isOfSeveral ? issuerLog(startLog, settings.name) : startLog)
  const realms = await Promise.all(issuers.realms.map((settings) => createRealm(settings, shared)))
  const directory = new ListedRealms(realms, isOfSeveral, revocations)
  const authority = issuers.realms.length > 1 || selectIssuer !== undefined ? severalRealms(directory, shared) : onlyRealm(realms[0]!)
  return { directory, authority }
}

async function openTenants (issuers: IssuerFunction, logout: LogoutSettings | undefined, common: Omit<SharedByRealms, 'revocations'>): Promise<{ directory: RealmDirectory, authority: Authority }> {
  const { createTenants } = await import('./tenant-directory.js')
  const revocations = logout && await openRevocations(logout, (iss) => directory.byIssuer(iss), common)
  const shared = { ...common, revocations }
  const directory = createTenants(issuers, shared)
  return { directory, authority: severalRealms(directory, shared) }
}

/**
 * Nothing of it is loaded if logouts are not received.
 * @param needRealm makes the realm of an issuer, where realms come and go
 */
async function openRevocations (logout: LogoutSettings, needRealm: NeedRealm | undefined, { isOfSeveral, closing, log }: Omit<SharedByRealms, 'revocations'>): Promise<Revocations> {
  const { Revocations } = await import('../revocation/revocations.js')
  return new Revocations({ ...logout, several: isOfSeveral, needRealm, closing, log })
}
