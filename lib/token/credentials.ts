/** The authentication schemes of access tokens (RFC 6750 section 2.1, RFC 9449 section 7.1). */
export type Scheme = 'Bearer' | 'DPoP'

/** The credentials of a request: the authentication scheme and the token (RFC 9110 section 11.4). */
export interface Credentials {
  scheme: Scheme
  token: string
}
