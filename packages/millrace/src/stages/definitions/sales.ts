/** Documents of several examples. */
export const SALES = [
  { shop: 'a', amount: 10 },
  { shop: 'b', amount: 30 },
  { shop: 'a', amount: 20 },
] as const
