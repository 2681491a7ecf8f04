/** What examples/orders-etl.yaml makes of an order, written by hand: the check must not ask the code that it checks. */

interface InputOrder {
  order_id: number
  amount: number
  items: number
}

/** The document that must arrive; undefined when the order is to be left out. */
export function transformed(order: InputOrder): object | undefined {
  if (!(order.amount >= 100)) return undefined
  const { items: _, ...rest } = order
  return { ...rest, tier: 'high' }
}
