// The official MCP client, whose user logs in by the forms of the realm: each redirect is followed as a browser would.
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'

/** The most pages and redirects of a login. */
const MAX_PAGES = 10

export interface McpClientOptions {
  redirectUri: string
  username: string
  /** A client that the realm knows; `undefined`: the client registers itself. */
  clientId?: string | undefined
  /** The scopes of the first login; `undefined`: those that the server names. */
  firstScope?: string | undefined
}

/** Keeps what the client is given; without refresh tokens, because a refresh brings no further scope. */
class Provider implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata
  /** The page that the user has to see. */
  page: URL | undefined
  information: OAuthClientInformationMixed | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''
  #firstScope: string | undefined

  constructor ({ redirectUri, clientId, firstScope }: McpClientOptions) {
    this.#firstScope = firstScope
    this.redirectUrl = redirectUri
    this.clientMetadata = { client_name: 'Test', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }
    this.information = clientId === undefined ? undefined : { client_id: clientId }
  }

  clientInformation (): OAuthClientInformationMixed | undefined { return this.information }
  saveClientInformation (information: OAuthClientInformationMixed): void { this.information = information }
  tokens (): OAuthTokens | undefined { return this.#tokens }
  saveTokens ({ refresh_token: _, ...tokens }: OAuthTokens): void { this.#tokens = tokens }
  saveCodeVerifier (verifier: string): void { this.#verifier = verifier }
  codeVerifier (): string { return this.#verifier }

  redirectToAuthorization (page: URL): void {
    if (this.#firstScope !== undefined) page.searchParams.set('scope', this.#firstScope)
    this.#firstScope = undefined
    this.page = page
  }
}

/** A client of the MCP server at a URL. */
export class McpClient {
  readonly #url: URL
  readonly #options: McpClientOptions
  readonly #provider: Provider
  #client = new Client({ name: 'test', version: '1.0.0' })
  #transport: StreamableHTTPClientTransport
  /** The scopes of each login, in their order. */
  readonly logins: string[] = []
  /** The requests of the client, without those of the user's browser: `GET http://…/mcp 401`. */
  readonly requests: string[] = []

  constructor (url: string, options: McpClientOptions) {
    this.#url = new URL(url)
    this.#options = options
    this.#provider = new Provider(options)
    this.#transport = this.#newTransport()
  }

  /** The claims of its access token. */
  get claims (): Record<string, unknown> {
    return JSON.parse(Buffer.from(this.#provider.tokens()!.access_token.split('.')[1]!, 'base64url').toString())
  }

  get clientId (): string {
    return this.#provider.information!.client_id
  }

  async connect (): Promise<void> {
    await this.#withLogin(() => this.#client.connect(this.#transport), () => {
      this.#transport = this.#newTransport()
      this.#client = new Client({ name: 'test', version: '1.0.0' })
    })
  }

  async tools (): Promise<string[]> {
    const { tools } = await this.#withLogin(() => this.#client.listTools())
    return tools.map(({ name }) => name)
  }

  /** The text that a tool answers. */
  async call (name: string): Promise<string> {
    const { content } = await this.#withLogin(() => this.#client.callTool({ name, arguments: {} }))
    return (content as Array<{ text: string }>)[0]!.text
  }

  async close (): Promise<void> {
    await this.#client.close()
  }

  #newTransport (): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(this.#url, {
      authProvider: this.#provider,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        this.requests.push(`${init?.method ?? 'GET'} ${String(input)} ${response.status}`)
        return response
      }
    })
  }

  /** Makes a request, and once more after the login that the answer asks for. */
  async #withLogin<Result> (request: () => Promise<Result>, beforeNext = () => {}): Promise<Result> {
    try {
      return await request()
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      const page = this.#provider.page!
      this.logins.push(page.searchParams.get('scope') ?? '')
      await this.#transport.finishAuth(await codeOf(page, this.#options))
      beforeNext()
      return request()
    }
  }
}

/**
 * A login as in a browser.
 * @returns the code of the redirect to the client
 * @throws {Error} if the realm refuses the request, or the login fails
 */
async function codeOf (page: URL, { redirectUri, username }: McpClientOptions): Promise<string> {
  const cookies = new Map<string, string>()
  let response = await visit(cookies, page)
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const location = response.headers.get('location')
    if (location?.startsWith(redirectUri)) {
      const parameters = new URL(location).searchParams
      if (!parameters.has('code')) throw new Error(`the realm refuses: ${parameters.get('error')} ${parameters.get('error_description')}`)
      return parameters.get('code')!
    }
    if (location !== null) response = await visit(cookies, new URL(location, page))
    else response = await submit(cookies, page, await response.text(), username)
  }
  throw new Error(`the login of ${username} does not end`)
}

async function visit (cookies: Map<string, string>, url: URL, body?: URLSearchParams): Promise<Response> {
  const cookie = Array.from(cookies, (pair) => pair.join('=')).join('; ')
  const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...body && { method: 'POST', body } })
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
    cookies.set(name!, value!)
  }
  return response
}

/** Fills in the form of a page: the password, or the consent to a client that registered itself. */
async function submit (cookies: Map<string, string>, page: URL, html: string, username: string): Promise<Response> {
  const [, action] = /<form [^>]*action="([^"]+)"/.exec(html) ?? []
  if (action === undefined) throw new Error(`the login of ${username} shows a page without a form`)
  const fields: Record<string, string> = html.includes('name="accept"')
    ? { accept: 'Yes', code: /name="code" value="([^"]*)"/.exec(html)?.[1] ?? '' }
    : { username, password: `${username}-pw` }
  return visit(cookies, new URL(action.replaceAll('&amp;', '&'), page), new URLSearchParams(fields))
}
