import { type LogoutSettings, parseOptions, type PluginSettings, type RealmSettings } from '../../lib/options/options.js'

/** The settings of the plugin and of its only realm. */
export function settingsFor (options: object): { plugin: PluginSettings, realm: RealmSettings, logout: LogoutSettings | undefined } {
  const { plugin, logout, issuers } = parseOptions(options)
  if (issuers.form !== 'one') throw new Error('the options have several issuers')
  return { plugin, logout, realm: issuers.realms[0] }
}
