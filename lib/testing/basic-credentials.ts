/** The credentials are form-encoded, then base64-encoded (RFC 6749 section 2.3.1), so a raw `%` breaks them, as in Keycloak. */
export function basicCredentials (authorization = ''): [id: string, secret: string] | null {
  const [, encoded] = /^Basic +(\S+)$/i.exec(authorization) ?? []
  if (encoded === undefined) return null
  const [id, ...secret] = Buffer.from(encoded, 'base64').toString().split(':')
  try {
    return [formDecode(id), formDecode(secret.join(':'))]
  } catch {
    return null
  }
}

function formDecode (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
