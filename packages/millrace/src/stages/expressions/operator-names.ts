/**
 * Names of the operators that are the engine's own, so that lint knows them without loading it. A test compares them with what
 * the engine has. Expression operators are in `operators.ts`.
 */

/** Of the fields of `$group` and the like; on a list they are expressions, too. */
export const ACCUMULATORS = names(`
  accumulator addToSet avg bottom bottomN count covariancePop covarianceSamp first firstN last lastN max maxN
  median mergeObjects min minN percentile push stdDevPop stdDevSamp sum top topN
`)

/** Of the fields of `$setWindowFields`, beside accumulators. */
export const WINDOW_OPERATORS = names(`
  denseRank derivative documentNumber expMovingAvg integral linearFill locf minMaxScaler rank shift
`)

/** Of conditions. */
export const QUERY_OPERATORS = names(`
  all and bitsAllClear bitsAllSet bitsAnyClear bitsAnySet elemMatch eq exists expr gt gte in jsonSchema lt lte
  mod ne nin nor not or regex size type where
`)

function names(words: string): readonly string[] {
  return words
    .trim()
    .split(/\s+/)
    .map((word) => `$${word}`)
}
