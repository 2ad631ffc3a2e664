import { isProduction } from '../util/environment.js'
import { testRealms } from '../util/test-realms.js'
import { TestRealm } from './realm.js'
import type { TestRealmOptions } from './realm-options.js'

/**
 * Starts a realm like Keycloak's in this process: discovery, a key set and introspection on a port of 127.0.0.1, and
 * tokens for them. The start takes some milliseconds, and the realm never keeps the process alive.
 * @throws {Error} when NODE_ENV names production in any spelling, or the port is taken
 * @throws {TypeError} when `algorithms` contains anything but algorithms, or `login` is wrong
 */
export async function createTestRealm (options: TestRealmOptions = {}): Promise<TestRealm> {
  if (isProduction()) {
    throw new Error('createTestRealm() refuses to start when NODE_ENV is production: its private keys are public.')
  }
  // The code of the login is loaded only for realms that have one, because most tests do not need it.
  const { Login } = options.login === undefined ? {} : await import('./login/index.js')
  const realm = new TestRealm(options, Login)
  options.app?.addHook('onClose', () => realm.close())
  await realm.up()
  testRealms().add(realm)
  return realm
}
