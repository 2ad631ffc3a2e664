/**
 * The user of a token: by `sub`, because tokens of a client that registered itself have no name, and by the issuer, because a `sub`
 * is unique within one realm only.
 * @returns `undefined` for a token without `sub`: two of them would be taken for one user
 */
export function userOf ({ iss, sub }: { iss?: string, sub?: string }): string | undefined {
  return sub === undefined ? undefined : JSON.stringify([iss, sub])
}
