import type { FastifyInstance } from 'fastify'
import type { ResourceMetadata } from '../../types/resource.js'
import type { AddedRoute } from '../access/added-routes.js'
import type { Routes } from '../access/route-registry.js'
import type { StartLog } from '../diagnostics/start-log.js'
import { addDocumentRoute } from '../metadata/document-route.js'
import { resourceDocument } from '../metadata/resource-document.js'
import { documentPath, documentUrl } from '../metadata/well-known.js'
import type { PluginSettings, Settings } from '../options/options.js'
import type { ResourceSettings } from '../options/resource.js'

/** The protected resource that the API is (RFC 9728). It is made only if the option `resource` is given. */
export class ProtectedResource {
  /** The URL of the API: the option. */
  readonly url: string
  /** The parameter of all challenges. */
  readonly challenge: { readonly resourceMetadata: string }
  readonly #settings: ResourceSettings
  readonly #plugin: PluginSettings
  readonly #issuers: readonly string[]
  readonly #routes: Pick<Routes, 'namedScopes' | 'scopesOf'>
  #earlierScopes: readonly string[] = []

  constructor (settings: ResourceSettings, { plugin, issuers }: Pick<Settings, 'plugin' | 'issuers'>, routes: Pick<Routes, 'namedScopes' | 'scopesOf'>) {
    this.url = settings.resource
    this.challenge = { resourceMetadata: documentUrl(settings.resource) }
    this.#settings = settings
    this.#plugin = plugin
    this.#issuers = issuers.form === 'function' ? [] : issuers.realms.map(({ issuer }) => issuer)
    this.#routes = routes
  }

  /** @param earlier the routes that were added before the plugin had loaded */
  addEarlier (earlier: readonly AddedRoute[]): void {
    this.#earlierScopes = earlier.flatMap((route) => this.#routes.scopesOf(route))
  }

  /** The document of now. */
  document (): ResourceMetadata {
    return resourceDocument(this.#settings, this.#plugin, this.#issuers, [...this.#earlierScopes, ...this.#routes.namedScopes()])
  }

  /**
   * Serves the document, unless a prefix would stand before its path: then the start says how to serve it at the root.
   * @throws {Error} if the application has such a route already
   */
  serve (fastify: FastifyInstance, log: StartLog): void {
    const path = documentPath(this.url)
    if (fastify.prefix === '') return addDocumentRoute(fastify, path, () => this.document())
    log.warn({ code: 'resource_unserved' }, `fastify-keycloak-bearer is registered under the prefix ${JSON.stringify(fastify.prefix)}, so it does not serve the document of the option resource, which clients look for at ${this.challenge.resourceMetadata}. Add the route GET ${path} at the root of the application, and answer keycloak.resourceMetadata() of this scope there`)
  }
}
