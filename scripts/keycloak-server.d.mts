/** What its users see of keycloak-server.mjs. */
export const url: string
export const home: string
export function install (): Promise<void>
export class KeycloakServer {
  start (options?: { fresh?: boolean, features?: string }): Promise<void>
  stop (): Promise<void>
  kill (): Promise<void>
}
