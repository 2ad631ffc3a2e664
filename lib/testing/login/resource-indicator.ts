import type { LoginSettings } from './options.js'
import { OAuthError } from './reply.js'

/** Resource indicators (RFC 8707), with the answers of Keycloak's feature. Without resources the parameter is ignored. */
export class ResourceIndicator {
  readonly #settings: Pick<LoginSettings, 'resources'>

  constructor (settings: Pick<LoginSettings, 'resources'>) {
    this.#settings = settings
  }

  /** An authorization request is refused for this alone; a resource that is unknown fails at the token endpoint. */
  isMalformed (resource: string | undefined): boolean {
    return this.#isOn && resource !== undefined && (!URL.canParse(resource) || resource.includes('#'))
  }

  /**
   * The audience for the resource of the authorization request; `undefined` if the token has all of its audiences.
   * @param resource the parameter of the authorization request
   * @param repeated the parameter of the token request
   * @param audience the audiences that the token has without the parameter
   * @throws {OAuthError} `invalid_target` (section 2)
   */
  audience (resource: string | undefined, repeated: string | undefined, audience: { own: string, all: readonly string[] }): string | undefined {
    if (!this.#isOn) return undefined
    if (repeated !== undefined && repeated !== resource) throw invalid('The requested resource is not matching the original request.')
    if (resource === undefined) return undefined
    const isIn = audience.all.includes(audience.own) || audience.all.includes(resource)
    if (isIn && this.#settings.resources().includes(resource)) return resource
    throw invalid('The requested resource is invalid, missing, unknown, or malformed.')
  }

  get #isOn (): boolean {
    return this.#settings.resources().length > 0
  }
}

function invalid (description: string): OAuthError {
  return new OAuthError('invalid_target', description)
}
