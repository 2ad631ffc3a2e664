/** The credentials of a request: the authentication scheme and the token (RFC 9110 section 11.4). */
export interface Credentials {
  scheme: 'Bearer'
  token: string
}
