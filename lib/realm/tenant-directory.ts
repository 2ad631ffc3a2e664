import { issuerLog } from '../diagnostics/issuer-log.js'
import type { KeycloakRisk } from '../../types/options.js'
import type { IssuerFunction, RealmSettings } from '../options/options.js'
import { warnOfRisks } from '../options/risky-settings.js'
import { entryRealm } from '../options/several-issuers.js'
import { BoundedMap } from '../util/bounded-map.js'
import type { RealmDirectory } from './directory.js'
import { createRealm, type Realm } from './realm.js'
import type { SharedByRealms } from './shared.js'
import { Tenants } from './tenants.js'

/** Issuers that are known to be checked. */
const CHECKED = 10_000

/** The realms of the function `issuers`. None is open at start: each is checked in the background when it is opened first. */
export function createTenants ({ find, maxIssuers, defaults }: IssuerFunction, shared: SharedByRealms): RealmDirectory {
  const checked = new BoundedMap<string, true>(CHECKED)
  const told = new Set<KeycloakRisk>()
  return new Tenants({
    find,
    maxIssuers,
    parse: (entry) => entryRealm(entry, defaults, 'issuers()'),
    async open (settings) {
      const realm = await startedRealm(settings, shared)
      if (!checked.has(settings.issuer)) {
        checked.set(settings.issuer, true)
        warnOfRisks(settings, issuerLog(shared.startLog, settings.name), told)
        realm.watch()
      }
      return realm
    },
    onStart: async (fastify) => shared.revocations?.start(fastify),
    closing: shared.closing,
    log: shared.log
  })
}

/** @throws {Error} if a part that the options require cannot be had */
async function startedRealm (settings: RealmSettings, shared: SharedByRealms): Promise<Realm> {
  const realm = await createRealm(settings, shared)
  try {
    await realm.start()
    return realm
  } catch (error) {
    await realm.close()
    throw error
  }
}
