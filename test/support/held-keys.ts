import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'

/** A way to a realm on which answers can be held up. Its URL is the `serverUrl` of an API. */
export interface HeldKeys {
  url: string
  /** Fetches of the key set that have reached the realm. */
  readonly asked: number
  /** Whether key sets are held up from now on. */
  hold: boolean
  /** Let go what is held up: answers as old as their questions. */
  release: () => void
}

/** Asks the realm as soon as it is asked, and answers when it is told to. */
export async function heldKeysFor (t: Test, realm: TestRealm): Promise<HeldKeys> {
  const held: Array<() => void> = []
  let asked = 0
  const server = createServer(async ({ url }, response) => {
    const path = new URL(url!, realm.issuer).pathname
    const text = await (await fetch(new URL(path, realm.issuer))).text()
    if (path.endsWith('/certs')) answer(response, text)
    else response.end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const keys: HeldKeys = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(realm.issuer).pathname}`,
    get asked () { return asked },
    hold: false,
    release () {
      for (const send of held.splice(0)) send()
    }
  }
  return keys

  function answer (response: ServerResponse, text: string): void {
    const send = (): void => { response.end(text) }
    asked++
    if (keys.hold) held.push(send)
    else send()
  }
}
