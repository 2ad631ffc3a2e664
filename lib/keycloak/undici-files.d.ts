/** The files of undici 7 that lib/keycloak/undici.ts loads; undici has types for the package as a whole. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici'

  export default Client
}

declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'

  export default Pool
}
