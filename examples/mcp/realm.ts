import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { SCOPES } from './tools.js'

/** The addresses after a login at a client that does not register: MCP inspector, and a client of your own. */
const REDIRECT_URIS = ['http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug', 'http://127.0.0.1:8765/callback']

/** The hosts of clients that register: this machine, and VS Code, whose registration has pages of its own. */
const TRUSTED_HOSTS = ['127.0.0.1', '[::1]', 'localhost', 'vscode.dev', 'insiders.vscode.dev']

/** A realm in this process, set up as README says for Keycloak. */
export function startRealm (url: string): Promise<TestRealm> {
  return createTestRealm({
    login: {
      clientId: 'mcp-client',
      redirectUris: REDIRECT_URIS,
      users: { alice: { password: 'alice-pw' }, bob: { password: 'bob-pw' } },
      scopes: Object.fromEntries(SCOPES.map((scope) => [scope, { audience: url }])),
      registration: { trustedHosts: TRUSTED_HOSTS },
      backchannelLogoutUrl: new URL('/backchannel-logout', url).href
    }
  })
}
