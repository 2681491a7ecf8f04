/** What a scenario can be run with: guarantee, lane and shape of the file. */

export const DELIVERIES = ['at_least_once', 'exactly_once'] as const
export type Delivery = (typeof DELIVERIES)[number]

/** The way that records take through the pipeline: as whole record batches, or with every value parsed and written. */
export const LANES = ['verbatim', 'documents'] as const
export type Lane = (typeof LANES)[number]

/** The shape of the file that says what the pipeline is: a line, or a graph of stages. */
export const SHAPES = ['linear', 'graph'] as const
export type Shape = (typeof SHAPES)[number]

/**
 * What a scenario runs on: any broker (one that runs already is left alone), three of its own, one of its own behind a proxy, or two
 * clusters, one of them for the output, where the guarantee allows it.
 */
export type Brokers = 'any' | 'three' | 'proxied' | 'two-clusters'
