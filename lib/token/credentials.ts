/** The credentials of a request: the scheme they came by, and the token (RFC 9110 section 11.4). */
export interface Credentials {
  scheme: 'Bearer'
  token: string
}
