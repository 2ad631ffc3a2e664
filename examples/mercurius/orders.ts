import type { MercuriusContext } from 'mercurius'

export const schema = `
  type Query {
    menu: [Dish!]! @public
    me: Person
    orders: [Order!]
    takings: Int @permission(roles: ["accountant"])
    search(text: String!): [Found!]
  }
  type Mutation {
    order(dish: String!): Order @permission(roles: ["place-orders"])
  }
  type Subscription {
    news: String! @public
    ordered: Order! @permission(roles: ["cook"])
  }
  type Dish { name: String!, price: Int!, cost: Int @permission(roles: ["accountant"]) }
  type Order { id: ID!, dish: String!, customer: String @permission(roles: ["see-customers"]) }
  type Person { username: String! }
  interface Named { name: String }
  type Supplier implements Named @permission(roles: ["accountant"]) { name: String, account: String }
  type Waiter implements Named { name: String }
  union Found = Supplier | Waiter
`

interface Order { id: number, dish: string, customer: string }

/** The resolvers know nothing of who may call them. */
export function createResolvers () {
  const orders: Order[] = []
  return {
    Query: {
      menu: () => [{ name: 'soup', price: 450, cost: 90 }],
      me: (_: unknown, _args: unknown, { request }: MercuriusContext) => request.user,
      orders: () => orders,
      takings: () => orders.length * 450,
      search: () => [{ __typename: 'Supplier', name: 'Farm', account: 'DE02' }, { __typename: 'Waiter', name: 'Wim' }]
    },
    Mutation: {
      async order (_: unknown, { dish }: { dish: string }, { request, pubsub }: MercuriusContext) {
        const ordered = { id: orders.length + 1, dish, customer: request.user!.username }
        orders.push(ordered)
        await pubsub.publish({ topic: 'ORDERED', payload: { ordered } })
        await pubsub.publish({ topic: 'NEWS', payload: { news: `${dish} is popular` } })
        return ordered
      }
    },
    Subscription: {
      news: { subscribe: (_: unknown, _args: unknown, { pubsub }: MercuriusContext) => pubsub.subscribe('NEWS') },
      ordered: { subscribe: (_: unknown, _args: unknown, { pubsub }: MercuriusContext) => pubsub.subscribe('ORDERED') }
    }
  }
}
