// The official client, with a user who logs in by the form of the realm: each redirect to Keycloak is followed as a browser would.
import { Client, StreamableHTTPClientTransport, type OAuthClientInformationMixed, type OAuthClientProvider, type OAuthDiscoveryState, type OAuthTokens } from '@modelcontextprotocol/client'
import { logIn } from './test-login.js'

export const REDIRECT = 'http://127.0.0.1:8765/callback'

/** Logins for one request. */
const MAX_LOGINS = 3

export interface TestClientOptions {
  /** A client that is known at Keycloak. Default: the client registers itself. */
  client?: OAuthClientInformationMixed | undefined
  /** The scopes that the client asks for at its first login. Default: those that the server names. */
  scope?: string | undefined
}

/** Remembers what the client is given, and the pages that its user should see. */
class Provider implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT
  readonly clientMetadata = { client_name: 'Test', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
  /** The login that the client waits for. */
  authorizationUrl: URL | undefined
  /** The level that the last refusal asks for (RFC 9470). */
  acr: string | undefined
  #client: OAuthClientInformationMixed | undefined
  #scope: string | undefined
  /** A refusal names the scopes of one tool, and the others are still wanted. */
  readonly #asked = new Set<string>()
  #tokens: OAuthTokens | undefined
  #verifier = ''
  #discovered: OAuthDiscoveryState | undefined

  constructor ({ client, scope }: TestClientOptions) {
    this.#client = client
    this.#scope = scope
  }

  clientInformation () { return this.#client }
  saveClientInformation (client: OAuthClientInformationMixed) { this.#client = client }
  discoveryState () { return this.#discovered }
  saveDiscoveryState (state: OAuthDiscoveryState) { this.#discovered = state }
  saveTokens (tokens: OAuthTokens) { this.#tokens = tokens }
  saveCodeVerifier (verifier: string) { this.#verifier = verifier }
  codeVerifier () { return this.#verifier }

  /** A new token of the same login would have the same level, so there is nothing to refresh if a level is asked for. */
  tokens () { return this.#tokens && (this.acr === undefined ? this.#tokens : { ...this.#tokens, refresh_token: undefined }) }

  redirectToAuthorization (url: URL) {
    const scope = this.#scope ?? url.searchParams.get('scope') ?? ''
    this.#scope = undefined
    for (const word of scope.split(' ')) this.#asked.add(word)
    url.searchParams.set('scope', [...this.#asked].join(' '))
    if (this.acr !== undefined) url.searchParams.set('acr_values', this.acr)
    this.authorizationUrl = url
  }
}

/** A client of the MCP server at a URL. */
export class TestClient {
  readonly #url: URL
  readonly #username: string
  readonly #provider: Provider
  #client = new Client({ name: 'test', version: '1.0.0' })
  #transport: StreamableHTTPClientTransport
  /** The scopes of each login, in their order. */
  readonly logins: string[] = []

  /** @param username logs in with the password `alice-pw`, if it is alice */
  constructor (url: string, username: string, options: TestClientOptions = {}) {
    this.#url = new URL(url)
    this.#username = username
    this.#provider = new Provider(options)
    this.#transport = this.#newTransport()
  }

  get sessionId () { return this.#transport.sessionId }
  get accessToken () { return this.#provider.tokens()!.access_token }

  async connect (): Promise<void> {
    await this.#withLogin(() => this.#client.connect(this.#transport), () => {
      this.#transport = this.#newTransport()
      this.#client = new Client({ name: 'test', version: '1.0.0' })
    })
  }

  async tools (): Promise<string[]> {
    const { tools } = await this.#client.listTools()
    return tools.map(({ name }) => name)
  }

  /** The text that a tool answers. */
  async call (name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content } = await this.#withLogin(() => this.#client.callTool({ name, arguments: args }))
    return (content as Array<{ text: string }>)[0]!.text
  }

  async end (): Promise<void> {
    await this.#transport.terminateSession()
    await this.close()
  }

  async close (): Promise<void> {
    await this.#client.close()
  }

  #newTransport (): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(this.#url, {
      authProvider: this.#provider,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        const challenge = response.headers.get('www-authenticate') ?? ''
        this.#provider.acr = /error="insufficient_user_authentication".*acr_values="([^"]+)"/.exec(challenge)?.[1] ?? this.#provider.acr
        return response
      }
    })
  }

  /** Makes a request, and once more after each login that the answer asks for. */
  async #withLogin<Result> (request: () => Promise<Result>, beforeNext = () => {}): Promise<Result> {
    for (let logins = 0; ; logins++) {
      try {
        return await request()
      } catch (error) {
        const url = this.#provider.authorizationUrl
        if (url === undefined || logins === MAX_LOGINS) throw error
        this.#provider.authorizationUrl = undefined
        this.logins.push(url.searchParams.get('scope') ?? '')
        await this.#transport.finishAuth(await logIn(url, REDIRECT, this.#username))
        this.#provider.acr = undefined
        beforeNext()
      }
    }
  }
}
