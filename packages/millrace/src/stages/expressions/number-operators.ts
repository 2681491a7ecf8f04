/** Operators on numbers. The engine rounds some of them wrongly, and refuses some where a value is missing. */
import { describeValue } from '../../options/values.ts'
import { ANY, isMissing, ONE, TWO, type Operator, type Operators } from './operator.ts'

/** Moves the decimal point of a number as it is written, so that 1.005 becomes 100.5 and not 100.49999999999999. */
function shift(number: number, places: number): number {
  const [digits, exponent = '0'] = String(number).split('e')
  return Number(`${digits}e${Number(exponent) + places}`)
}

/** To the nearest whole number; what lies in the middle goes to the even one. */
function halfEven(number: number): number {
  const floor = Math.floor(number)
  const rest = number - floor
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1
  return rest < 0.5 ? floor : floor + 1
}

/** An operator of a number, or of a list of a number and the places behind the point; fewer than 0 lie before it. */
function toPlace(name: string, cut: (number: number) => number): Operator {
  const run: Operator['run'] = (engine) => (document, argument, options) => {
    const list = Array.isArray(argument) ? argument : [argument]
    const [number, place = 0] = engine.evaluate(document, list, options) as unknown[]
    if (isMissing(number) || isMissing(place)) return null
    if (typeof number !== 'number') throw new Error(`${name} needs a number: found ${describeValue(number)}`)
    if (!Number.isInteger(place) || (place as number) < -20 || (place as number) > 100)
      throw new Error(`${name} needs a whole number of places from -20 to 100: found ${describeValue(place)}`)
    // A zero below 0 would be written as -0.
    return Number.isFinite(number) ? shift(cut(shift(number, place as number)), -(place as number)) + 0 : number
  }
  return { run }
}

/** A logarithm: null of 0 and below, which have none. */
function ofPositive(name: string): Operator {
  return {
    unary: true,
    run: (engine) => (document, argument, options) => {
      const number = engine.evaluate(document, argument, options)
      return typeof number === 'number' && number <= 0
        ? null
        : engine.operator(name)(document, { $literal: number }, options)
    },
  }
}

export const NUMBER_OPERATORS: Operators = {
  $abs: ONE,
  $acos: ANY,
  $acosh: ANY,
  $add: ANY,
  $asin: ANY,
  $asinh: ANY,
  $atan: ANY,
  $atan2: TWO,
  $atanh: ANY,
  $bitAnd: ANY,
  $bitNot: ANY,
  $bitOr: ANY,
  $bitXor: ANY,
  $ceil: ONE,
  $cos: ANY,
  $cosh: ANY,
  $degreesToRadians: ANY,
  $divide: TWO,
  $exp: ONE,
  $floor: ONE,
  $ln: ofPositive('$ln'),
  $log: TWO,
  $log10: ofPositive('$log10'),
  $mod: {
    ...TWO,
    run: (engine) => (document, argument, options) => {
      const list = engine.evaluate(document, argument, options)
      // Nothing is left of a division by 0.
      if (Array.isArray(list) && (list.some(isMissing) || list[1] === 0)) return null
      return engine.operator('$mod')(document, { $literal: list }, options)
    },
  },
  $multiply: ANY,
  $pow: TWO,
  $radiansToDegrees: ANY,
  $rand: ANY,
  $round: toPlace('$round', halfEven),
  $sampleRate: ANY,
  $sigmoid: ANY,
  $sin: ANY,
  $sinh: ANY,
  $sqrt: ONE,
  $subtract: TWO,
  $tan: ANY,
  $tanh: ANY,
  $trunc: toPlace('$trunc', Math.trunc),
}
