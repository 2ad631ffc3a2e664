import type { FastifyBaseLogger } from 'fastify'
import { Closing } from '../keycloak/closing.js'
import { confirmationRulesOf } from '../options/confirmation-rules.js'
import type { PluginSettings, RealmSettings } from '../options/options.js'
import { Caches } from '../realm/caches.js'
import { createRealm, type Realm } from '../realm/realm.js'
import type { SharedByRealms } from '../realm/shared.js'
import { toUserBy } from '../request/user.js'

/** One realm as the plugin opens it, with its settings. */
export interface OpenRealm {
  settings: RealmSettings
  realm: Realm
}

/** All realms, and the parts that they share. */
export interface OpenRealms {
  realms: readonly OpenRealm[]
  shared: SharedByRealms
  /** Is a token refused that is not bound to a key? */
  required: boolean
  close: () => Promise<void>
}

const ignore = (): void => {}

/** The report says everything, once. */
const SILENT = {
  level: 'silent', fatal: ignore, error: ignore, warn: ignore, info: ignore, debug: ignore, trace: ignore, silent: ignore
} as unknown as FastifyBaseLogger

/** Opens the realms of the configuration, each as the plugin does. Nothing is kept, so that each token is verified anew. */
export async function openRealms (plugin: PluginSettings, settings: readonly RealmSettings[]): Promise<OpenRealms> {
  const closing = new Closing()
  const confirmation = confirmationRulesOf(plugin)
  const caches = new Caches(false)
  const shared: SharedByRealms = {
    limits: plugin.limits,
    ...caches,
    confirmation,
    revocations: undefined,
    closing,
    createToUser: toUserBy(undefined),
    log: SILENT,
    startLog: SILENT,
    isOfSeveral: false
  }
  const realms = await Promise.all(settings.map(async (each) => ({ settings: each, realm: await createRealm(each, shared) })))
  return {
    realms,
    shared,
    required: confirmation.isRequired,
    async close () {
      closing.finish()
      caches.close()
      await Promise.all(realms.map(({ realm }) => realm.close()))
    }
  }
}
