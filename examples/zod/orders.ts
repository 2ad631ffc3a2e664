import { z } from 'zod'

export const newOrderSchema = z.strictObject({
  item: z.string().min(1).max(100),
  quantity: z.number().int().min(1).max(99)
})

export const orderSchema = newOrderSchema.extend({ id: z.number(), customer: z.string() })
export type Order = z.infer<typeof orderSchema>

export type Orders = Map<number, Order>

// Named, it is written once in the document's components, and referred to.
z.globalRegistry.add(orderSchema, { id: 'Order' })
