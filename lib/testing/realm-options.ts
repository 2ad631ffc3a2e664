import type { Algorithm } from '../../types/options.js'
import type { LoginOptions } from './login/index.js'

/** The options of `createTestRealm`; all have defaults. */
export interface TestRealmOptions {
  /** The realm's name, which is in its URL. Default `test`. */
  name?: string
  /** The client that stands for the API under test. Default `api`. */
  clientId?: string
  /** The secret of that client for introspection. Default `test-secret`. */
  clientSecret?: string
  /** The port on 127.0.0.1. Default 0: any free port. */
  port?: number
  /** The lifetime of access and ID tokens, in seconds. Default 300. */
  tokenLifespan?: number
  /** The signature algorithms for which the realm has a key; tokens are signed by the first. Default `['RS256']`. */
  algorithms?: readonly Algorithm[]
  /**
   * A login page and the authorization code flow with PKCE, for a client that runs in a browser. Default: none, so that
   * `TestRealm.token()` is the only source of tokens.
   */
  login?: LoginOptions
  /** A Fastify instance: the realm closes with it. */
  app?: { addHook (name: 'onClose', hook: () => Promise<void>): unknown }
}

/** The options that tokens depend on. */
export type RealmDefaults = Required<Pick<TestRealmOptions, 'name' | 'clientId' | 'clientSecret' | 'tokenLifespan'>>
