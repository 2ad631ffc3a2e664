/** The members of a test realm that the plugin reads. */
interface RunningRealm {
  readonly issuer: string
  readonly options: { readonly clientSecret: string }
}

const NAME = Symbol.for('fastify-keycloak-bearer: the test realms of this process')

/**
 * The running test realms of this process. They are kept on `globalThis`, because a process can
 * have two copies of this package, and a test may have the plugin of the one and the realm of the other.
 */
export function testRealms (): Set<RunningRealm> {
  const shared = globalThis as { [NAME]?: Set<RunningRealm> }
  shared[NAME] ??= new Set()
  return shared[NAME]
}

/** Is this the URL of a test realm that runs in this process? */
export function isTestRealm (url: string): boolean {
  return [...testRealms()].some(({ issuer }) => issuer === url)
}
