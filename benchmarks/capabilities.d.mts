export const PLAIN: string
export const DPOP: string
export const CAPABILITIES: Readonly<Record<string, object>>
export function capabilityClaims (): Record<string, unknown>
