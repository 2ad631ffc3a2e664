import { z } from 'zod'
import type { Profile } from 'fastify-keycloak-bearer'

/** What this API wants to know of who calls. */
export const callerSchema = z.object({
  id: z.string(),
  username: z.string(),
  email: z.email().optional()
})
export type Caller = z.infer<typeof callerSchema>

// From here on `request.user` is a Caller everywhere, null where a route lets anonymous callers in.
declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    user: Caller
  }
}

/**
 * A claim is what the realm's mappers made of it: the type is a promise that something has to keep. Who does not fit is
 * null, which is answered 401 user_inactive.
 */
export function callerOf (profile: Profile): Caller | null {
  const { success, data } = callerSchema.safeParse(profile)
  return success ? data : null
}
