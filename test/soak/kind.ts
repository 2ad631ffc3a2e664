/** A kind of request, with the status that the contract promises while nothing is wrong with Keycloak. */
export interface Kind {
  name: string
  path: string
  authorization: () => string | undefined
  expected: number
  /** May an outage answer it 503? What is refused before any key is needed may not. */
  needsKeycloak: boolean
  /** Does it wait for the next refresh of the keys? Such have senders of their own, since they would hold up the others. */
  waits?: boolean
}
