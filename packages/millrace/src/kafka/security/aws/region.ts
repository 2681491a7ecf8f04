/** Addresses of MSK name their region: `b-1.orders.x1y2z3.c2.kafka.us-east-1.amazonaws.com`. */
export function regionOfHost(host: string): string | undefined {
  return /\.kafka(?:-serverless)?\.([a-z\d-]+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1]
}
