import type { Routes } from '../access/route-registry.js'
import type { Settings } from '../options/options.js'
import type { ProtectedResource } from './protected-resource.js'

/** Nothing of it is loaded without the option `resource`. */
export async function openResource (settings: Pick<Settings, 'plugin' | 'issuers'>, routes: Routes): Promise<ProtectedResource | undefined> {
  const { resource } = settings.plugin
  if (resource === undefined) return undefined
  const { ProtectedResource } = await import('./protected-resource.js')
  return new ProtectedResource(resource, settings, routes)
}
