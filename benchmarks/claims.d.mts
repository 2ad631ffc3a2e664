export function usernameOf (number: number): string
export function claimsOf (of: { issuer: string, exp: number, number?: number }): Record<string, unknown>
