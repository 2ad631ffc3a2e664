// What an application on tRPC needs once: a context, procedures that check the caller, and errors that keep their code.
import { type AnyTRPCRouter, getTRPCErrorShape, initTRPC, transformTRPCResponse, TRPCError } from '@trpc/server'
import type { CreateFastifyContextOptions } from '@trpc/server/adapters/fastify'
import { KeycloakError, type PermissionRule } from 'fastify-keycloak-bearer'
import { untilAborted } from './until-aborted.js'

/**
 * The caller is that of Fastify's request, which the plugin has checked.
 * @throws {TypeError} with `useWSS`, where tRPC hands over Node's request instead, which has no caller
 */
export function createContext ({ req }: CreateFastifyContextOptions) {
  if (req.hasPermission === undefined) throw new TypeError('tRPC did not hand over a request of Fastify')
  return { request: req, user: req.user }
}

export type Context = ReturnType<typeof createContext>

/** The codes of tRPC that have the statuses of a KeycloakError. */
const CODES = { 401: 'UNAUTHORIZED', 403: 'FORBIDDEN', 503: 'SERVICE_UNAVAILABLE' } as const

/** A refusal as tRPC knows it. tRPC would answer 500 for an error of another class. */
export function toTRPCError (error: KeycloakError): TRPCError {
  return new TRPCError({ code: CODES[error.statusCode as keyof typeof CODES], message: error.message, cause: error })
}

const t = initTRPC.context<Context>().create({
  // By default errors have stacks unless NODE_ENV is production.
  isDev: false,
  // Clients read the code of a refusal as error.data.keycloak.
  errorFormatter: ({ shape, error: { cause } }) => ({
    ...shape,
    data: { ...shape.data, keycloak: cause instanceof KeycloakError ? cause.code : undefined }
  })
})

export const { router } = t

/** The answer to a request that the plugin refused, in the shape of tRPC, for Fastify's error handler. */
export function errorResponse (error: KeycloakError, config: AnyTRPCRouter['_def']['_config']) {
  const shape = getTRPCErrorShape({ config, error: toTRPCError(error), type: 'unknown', path: undefined, input: undefined, ctx: undefined })
  return transformTRPCResponse(config, { error: shape })
}

/** Refusals that a procedure throws, such as those of `keycloak.verify()`, keep their status. */
const refusals = t.middleware(async ({ next }) => {
  const result = await next()
  if (!result.ok && result.error.cause instanceof KeycloakError) throw toTRPCError(result.error.cause)
  return result
})

/** A procedure that anonymous callers may call too. */
export const publicProcedure = t.procedure.use(refusals)

/**
 * A procedure that needs a token. A subscription ends with it, whatever the procedure does; `ctx.signal` tells the procedure, which
 * may hold listeners. tRPC's own `signal` tells only of clients that leave.
 */
export const protectedProcedure = publicProcedure.use(async ({ ctx, type, signal, next }) => {
  const { request, user } = ctx
  if (user === null) throw new KeycloakError('not_authenticated', 'the procedure needs a token')
  if (type !== 'subscription') return next({ ctx: { ...ctx, user, signal } })
  const result = await next({ ctx: { ...ctx, user, signal: AbortSignal.any([signal!, request.authSignal!]) } })
  if (!result.ok) return result
  return { ...result, data: untilAborted(result.data as AsyncIterable<unknown>, request.authSignal!, (reason) => toTRPCError(reason as KeycloakError)) }
})

/** A procedure that needs a rule: a role, or any rule that the plugin knows. */
export const permissionProcedure = (rule: PermissionRule) => protectedProcedure.use(async ({ ctx, next }) => {
  if (!await ctx.request.isAllowed(rule)) throw new KeycloakError('permission_denied', 'the procedure needs another permission')
  return next()
})
