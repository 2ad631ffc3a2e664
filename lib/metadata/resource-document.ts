import type { ResourceMetadata } from '../../types/resource.js'
import { confirmationRulesOf } from '../options/confirmation-rules.js'
import type { PluginSettings } from '../options/options.js'
import { OFFLINE, type ResourceSettings } from '../options/resource.js'

/**
 * The protected resource metadata (RFC 9728 section 2). It follows from the options and the routes alone: a document that
 * followed the Host header would name whatever resource a stranger asks for.
 * @param issuers of the realms, unless a function finds them
 * @param routeScopes the scopes that the rules of routes name
 */
export function resourceDocument (settings: ResourceSettings, { dpop, mtls }: Pick<PluginSettings, 'dpop' | 'mtls'>, issuers: readonly string[], routeScopes: readonly string[]): ResourceMetadata {
  const scopes = new Set([...routeScopes, ...settings.scopes])
  scopes.delete(OFFLINE)
  return {
    resource: settings.resource,
    authorization_servers: [...settings.authorizationServers ?? issuers],
    ...scopes.size > 0 && { scopes_supported: [...scopes] },
    bearer_methods_supported: ['header'],
    ...settings.name !== undefined && { resource_name: settings.name },
    ...settings.documentation !== undefined && { resource_documentation: settings.documentation },
    ...dpop !== undefined && { dpop_signing_alg_values_supported: [...dpop.algorithms] },
    // With mtls, a token that is bound to a certificate is good as well.
    ...confirmationRulesOf({ dpop, mtls }).isRequired && mtls === undefined && { dpop_bound_access_tokens_required: true as const },
    ...mtls !== undefined && { tls_client_certificate_bound_access_tokens: true as const }
  }
}
