import type { LoginSettings } from './options.js'

/** A client that users log in by. */
export interface LoginClient {
  readonly id: string
  /** `undefined` for a public client. */
  readonly secret?: string | undefined
  /** The scopes that the client named when it registered. It has no other ones, not even Keycloak's default ones. */
  readonly scopes?: readonly string[] | undefined
  redirectUris (): readonly string[]
  postLogoutRedirectUris (): readonly string[]
  /** Is this one of the client's addresses after a login? */
  accepts (redirectUri: string): boolean
}

/** The limit of Keycloak's policy *Max Clients Limit*. */
export const MAX_CLIENTS = 200

/** The client of the options, and the clients that have registered. */
export class Clients {
  readonly #own: LoginClient
  readonly #registered = new Map<string, LoginClient>()

  constructor (settings: LoginSettings) {
    const { redirectUris, postLogoutRedirectUris } = settings
    this.#own = { id: settings.clientId, redirectUris, postLogoutRedirectUris, accepts: (uri) => redirectUris().includes(uri) }
  }

  get isFull (): boolean {
    return this.#registered.size >= MAX_CLIENTS
  }

  find (id: string | null | undefined): LoginClient | undefined {
    return id === this.#own.id ? this.#own : this.#registered.get(id ?? '')
  }

  /** Adds a client, whose id is new. A client never goes, because its sessions may still live. */
  add (client: Pick<LoginClient, 'id' | 'secret' | 'scopes'>, redirectUris: readonly string[]): void {
    this.#registered.set(client.id, {
      ...client,
      redirectUris: () => redirectUris,
      postLogoutRedirectUris: () => redirectUris,
      accepts: (uri) => redirectUris.includes(uri) || redirectUris.includes(withoutPort(uri))
    })
  }

  /** Is this the origin of a page of one of the clients? */
  hasOrigin (origin: string): boolean {
    return [this.#own, ...this.#registered.values()].some(({ redirectUris }) => redirectUris().some((uri) => new URL(uri).origin === origin))
  }
}

/**
 * An application on the user's machine listens on any free port: its redirect URI of a loopback address without a port stands for
 * all ports (RFC 8252 section 7.3).
 */
function withoutPort (uri: string): string {
  return uri.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)):\d{1,5}(?=[/?]|$)/, '$1')
}
