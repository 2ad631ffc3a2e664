import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import {
  jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler, validatorCompiler, type ZodTypeProvider
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import { callerOf, callerSchema } from './caller.js'
import { newOrderSchema, orderSchema, type Order, type Orders } from './orders.js'

/** An API whose schemas are zod's: what is validated, typed and documented is written once. */
export async function buildApp (options: KeycloakOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  await app.register(swagger, {
    openapi: { info: { title: 'Orders', version: '1.0.0' } },
    // zod's transform first, then what the plugin knows of each route.
    transform: keycloak.openapi(jsonSchemaTransform),
    transformObject: jsonSchemaTransformObject
  })
  await app.register(keycloak, { ...options, userIdField: 'id', userIdClaim: 'sub', syncUser: callerOf })
  await app.register(swaggerUi, { routePrefix: '/docs' })

  const orders: Orders = new Map()

  app.get('/me', {
    schema: { summary: 'Who the token says you are', response: { 200: callerSchema } },
    config: { authenticated: true }
  }, async ({ user }) => user)

  app.post('/orders', {
    schema: { summary: 'Place an order', body: newOrderSchema, response: { 201: orderSchema } },
    config: { permission: 'place-orders' }
  }, async ({ body, user }, reply) => {
    const order: Order = { id: orders.size + 1, customer: user.id, ...body }
    orders.set(order.id, order)
    return reply.code(201).send(order)
  })

  app.get('/orders/:id', {
    schema: {
      summary: 'An order: your own, or with the role see-all-orders anybody\'s',
      params: z.object({ id: z.coerce.number().int().positive() }),
      response: { 200: orderSchema, 404: z.object({ message: z.string() }) }
    },
    config: { authenticated: true }
  }, async (request, reply) => {
    const order = orders.get(request.params.id)
    const visible = order !== undefined && (order.customer === request.user.id || request.hasPermission('see-all-orders'))
    // The same answer for both: who may not see an order does not learn that there is one.
    return visible ? order : reply.code(404).send({ message: 'No such order.' })
  })

  return app
}
