/** Wrong usage: its message says what to write instead, and shows nothing that could be a secret. */
export class UsageError extends Error {}

/** The sentence for everything that has no place among the arguments. */
export const NO_SECRETS = 'a token belongs into standard input or into KEYCLOAK_TOKEN, and the secret into KEYCLOAK_CLIENT_SECRET, because other users of this machine can read arguments'
