import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { EndpointHealth } from '../../lib/diagnostics/endpoint-health.js'
import { notValid, unavailable } from '../../lib/errors.js'
import { KeycloakClient } from '../../lib/keycloak/client.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { KeySource } from '../../lib/keys/key-source.js'
import { type IssuerFunction, parseOptions, type RealmSettings } from '../../lib/options/options.js'
import { entryRealm } from '../../lib/options/several-issuers.js'
import type { RealmRevocation } from '../../lib/revocation/realm-revocation.js'
import { Revocations } from '../../lib/revocation/revocations.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { type Log, logging } from './app.js'
import { LOGOUT } from './logout.js'

/** The revocations of realms that come and go as a test says, with the routes that Keycloak calls. */
export class TenantLogouts {
  readonly app: FastifyInstance
  readonly log: Log = logging()
  readonly revocations: Revocations
  /** The realms that the function knows, by issuer. */
  readonly realms = new Map<string, TestRealm>()
  /** The issuers that the function was asked about. */
  readonly asked: string[] = []
  /** Called before each answer of the function. */
  before: (iss: string) => unknown = () => {}
  /** Called before a realm that was made follows the store. */
  beforeStart: () => unknown = () => {}
  /** Called before a realm that was made is handed out. */
  after: () => unknown = () => {}
  /** The function cannot answer at the moment. */
  isAway = false
  readonly #defaults: IssuerFunction['defaults']
  readonly #closing = new Closing()
  readonly #open = new Map<string, { part: RealmRevocation, keys: KeySource, close: () => Promise<void> }>()

  /** @param maxRemembered issuers without a realm */
  constructor (t: Test, options: { revocation?: object } = {}, maxRemembered?: number) {
    const { logout, issuers } = parseOptions({ issuers: () => null, ...LOGOUT, ...options })
    this.#defaults = (issuers as IssuerFunction).defaults
    this.app = Fastify(this.log as FastifyServerOptions)
    this.revocations = new Revocations({ ...logout!, several: true, needRealm: (iss) => this.#need(iss), maxRemembered, closing: this.#closing, log: this.app.log })
    this.app.addHook('preClose', async () => this.#closing.begin())
    this.app.addHook('onClose', async () => this.#closing.finish())
    t.teardown(async () => {
      await this.app.close()
      for (const { close } of this.#open.values()) await close()
    })
  }

  async start (): Promise<this> {
    await this.revocations.start(this.app)
    await this.app.ready()
    return this
  }

  /** The part of a realm that is open. */
  of (realm: TestRealm): RealmRevocation {
    return this.#open.get(realm.issuer)!.part
  }

  settingsOf ({ issuer }: TestRealm): RealmSettings {
    return entryRealm({ issuer, name: issuer.split('/').at(-1), clientId: 'api' }, this.#defaults, 'issuers')
  }

  /** Make the realm, as a request with its token does. */
  async open (realm: TestRealm): Promise<RealmRevocation> {
    this.realms.set(realm.issuer, realm)
    await this.#need(realm.issuer)
    // A machine under load takes its time for the first keys, and a logout is answered within seconds.
    await this.#open.get(realm.issuer)!.keys.preload().catch(() => {})
    return this.of(realm)
  }

  /** End the realm, because there are too many. */
  async evict (realm: TestRealm): Promise<void> {
    const { part, close } = this.#open.get(realm.issuer)!
    this.#open.delete(realm.issuer)
    part.close()
    await close()
  }

  async #need (iss: string): Promise<void> {
    if (this.#open.has(iss)) return
    this.asked.push(iss)
    await this.before(iss)
    if (this.isAway) throw unavailable('keys_failed_recently')
    const realm = this.realms.get(iss)
    if (realm === undefined) throw notValid('issuer_unknown')
    const settings = this.settingsOf(realm)
    const client = new KeycloakClient(settings, this.#closing)
    const keys = new KeySource({ ...settings.jwks, maxBytes: 100_000, isRefused: () => false }, settings.baseUrl, client, new EndpointHealth('certs', this.app.log))
    const part = this.revocations.of(settings, keys)
    this.#open.set(iss, {
      part,
      keys,
      close: async () => {
        keys.close()
        await client.close()
      }
    })
    await this.beforeStart()
    await part.start()
    await this.after()
  }
}
