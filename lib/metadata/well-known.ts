const PREFIX = '/.well-known/oauth-protected-resource'

/** The path of the document of a resource: the well-known one stands before that of the resource (RFC 9728 section 3.1). */
export function documentPath (resource: string): string {
  const { pathname } = new URL(resource)
  return pathname === '/' ? PREFIX : PREFIX + pathname
}

/** The URL of that document. */
export function documentUrl (resource: string): string {
  return new URL(resource).origin + documentPath(resource)
}
