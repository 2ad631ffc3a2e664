import { promisify } from 'node:util'
import Fastify from 'fastify'
import type { Test } from 'tap'
import { Closing } from '../../lib/keycloak/closing.js'
import type { TenantRealm } from '../../lib/realm/tenant.js'
import type { TenantsOptions } from '../../lib/realm/tenant-options.js'
import { Tenants } from '../../lib/realm/tenants.js'
import { type Identity, identityOf } from '../../lib/token/identity.js'
import { type Log, logging } from './app.js'

const turn = promisify(setImmediate)

/** The settings of a tenant that only tests have. */
export interface Entry {
  issuer: string
  name: string
}

/** A realm that accepts the token `good`, accepts `slow` when it is told to, and refuses all others. */
export class StubRealm implements TenantRealm {
  readonly name: string
  readonly issuer: string
  closed = 0
  readonly #slow: Array<(identity: Identity) => void> = []

  constructor ({ name, issuer }: Entry) {
    this.name = name
    this.issuer = issuer
  }

  identify ({ token }: { token: string }): Identity | Promise<Identity> {
    if (this.closed > 0) throw new Error('it is closed')
    if (token === 'good') return identityOf({} as Identity['claims'], this, undefined)
    if (token === 'slow') return new Promise((resolve) => this.#slow.push(resolve))
    throw new Error('refused')
  }

  /** Answer all that wait. */
  accept (): void {
    for (const resolve of this.#slow.splice(0)) resolve(identityOf({} as Identity['claims'], this, undefined))
  }

  async close (): Promise<void> {
    this.closed++
  }
}

export interface Stubs {
  tenants: Tenants<StubRealm, Entry>
  closing: Closing
  log: Log
  /** The issuers that the function was asked about. */
  asked: string[]
  /** All realms that were opened. */
  opened: StubRealm[]
  /** Ask with a token of an issuer: `good`, or the reason of the refusal. */
  ask: (iss: string, token?: string) => Promise<string>
}

export const SSO = 'https://sso.example.com/realms/'

/** An issuer by the name of its realm. */
export function issuer (name: string): string {
  return SSO + name
}

export function entryOf (iss: string): Entry {
  return { issuer: iss, name: iss.slice(iss.lastIndexOf('/') + 1) }
}

/** Tenants of realms that only tests have; by default all issuers are tenants. */
export function tenantsFor (t: Test, find: (iss: string) => unknown = entryOf, options: Partial<TenantsOptions<StubRealm, Entry>> = {}): Stubs {
  const [closing, log, asked, opened] = [new Closing(), logging(), [] as string[], [] as StubRealm[]]
  const tenants = new Tenants<StubRealm, Entry>({
    find: (iss) => {
      asked.push(iss)
      return find(iss)
    },
    parse: (entry) => entry as Entry,
    async open (entry) {
      const realm = new StubRealm(entry)
      opened.push(realm)
      return realm
    },
    maxIssuers: 100,
    closing,
    log: Fastify(log).log,
    ...options
  })
  t.teardown(async () => {
    closing.finish()
    await tenants.close()
  })
  return { tenants, closing, log, asked, opened, ask }

  async function ask (iss: string, token = 'good'): Promise<string> {
    try {
      await tenants.identify(await tenants.byIssuer(iss), { scheme: 'Bearer', token })
      return 'good'
    } catch (error) {
      return (error as { reasonCode?: string }).reasonCode ?? (error as Error).message
    } finally {
      // A realm that was just opened is in use until the end of this turn of the event loop.
      await turn()
    }
  }
}
