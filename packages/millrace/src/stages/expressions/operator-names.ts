/**
 * Names of the operators that conditions and expressions may use, so that lint knows them without loading the engine. A test
 * compares them with what the engine has.
 */

/** Of expressions, beside accumulators. */
export const EXPRESSION_OPERATORS = names(`
  abs acos acosh add allElementsTrue and anyElementTrue arrayElemAt arrayToObject asin asinh atan atan2 atanh
  bitAnd bitNot bitOr bitXor ceil cmp coalesce concat concatArrays cond convert cos cosh dateAdd dateDiff
  dateFromParts dateFromString dateSubtract dateToParts dateToString dateTrunc dayOfMonth dayOfWeek dayOfYear
  degreesToRadians divide eq exp filter first firstN floor function getField gt gte hour ifNull in indexOfArray
  indexOfBytes indexOfCP isArray isNumber isoDayOfWeek isoWeek isoWeekYear last lastN let literal ln log log10
  lt lte ltrim map maxN median mergeObjects millisecond minN minute mod month multiply ne nin not objectToArray
  or percentile pow radiansToDegrees rand range reduce regexFind regexFindAll regexMatch replaceAll replaceOne
  reverseArray round rtrim sampleRate second setDifference setEquals setField setIntersection setIsSubset
  setUnion sigmoid sin sinh size slice sortArray split sqrt strLenBytes strLenCP strcasecmp substr substrBytes
  substrCP subtract switch tan tanh toBool toDate toDecimal toDouble toHashedIndexKey toInt toLong toLower
  toString toUpper trim trunc type unsetField week year zip
`)

/** Of the fields of `$group` and the like; over a list they are expressions, too. */
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
