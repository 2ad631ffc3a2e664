import { bearerToken } from 'fastify-keycloak-bearer'
import { EventEmitter, on } from 'node:events'
import { z } from 'zod'
import { permissionProcedure, protectedProcedure, publicProcedure, router } from './trpc.js'

const orders: Array<{ id: number, dish: string, customer: string }> = []
export const events = new EventEmitter()

export const appRouter = router({
  menu: publicProcedure.query(({ ctx }) => ({ soup: 4.5, hello: ctx.user?.username })),
  me: protectedProcedure.query(({ ctx }) => ctx.user),
  orders: router({
    list: permissionProcedure('cook').query(() => orders),
    place: permissionProcedure({ any: ['guest', { scope: 'order' }] }).input(z.object({ dish: z.string() })).mutation(({ ctx, input }) => {
      const order = { id: orders.length + 1, dish: input.dish, customer: ctx.user.username }
      orders.push(order)
      events.emit('order', order)
      return order
    }),
    placed: permissionProcedure('cook').subscription(async function * ({ ctx: { signal } }) {
      const placed = on(events, 'order', { signal })
      yield { ready: true }
      for await (const [order] of placed) yield order
    })
  }),
  /** Asks again whether the token is good, at the end of long work. */
  recheck: protectedProcedure.query(async ({ ctx: { request } }) => (await request.server.keycloak.verify(bearerToken(request)!)).sub)
})

export type AppRouter = typeof appRouter
