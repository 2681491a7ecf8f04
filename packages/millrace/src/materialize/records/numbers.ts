/**
 * Numbers as the records of materialize-kafka spell them: integers by their digits, floats always with `.0` or an exponent.
 *
 * A float has the fewest digits that read back as the same double. With `kk` as the position of its point behind the first
 * digit, it is in decimal notation while -5 < kk <= 16, and `d.ddde<exponent>` otherwise, without a plus sign.
 */
import { EncodeError } from '../../errors/index.ts'

/** @throws {EncodeError} for what JSON cannot say */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new EncodeError(`Cannot write the number ${value} as JSON has no text for it`)
  const size = Math.abs(value)
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  // JavaScript's own text is decimal from 1e-6 up to 1e21.
  if (size >= 1e-5 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value)
  return value.toExponential().replace('+', '')
}

const MAX_U64 = 18_446_744_073_709_551_615n
const MIN_I64 = -9_223_372_036_854_775_808n
/** So many digits are an integer of 64 bits, whatever they are. */
const SAFE_DIGITS = 18

/**
 * The text of a number of JSON. Integers of 64 bits, signed or unsigned, keep their digits; everything else is a double.
 * @throws {EncodeError} for one that is too large for a double
 */
export function numberText(source: string): string {
  if (/^-?\d+$/.test(source) && source !== '-0') {
    if (source.length <= SAFE_DIGITS) return source
    const value = BigInt(source)
    if (value >= MIN_I64 && value <= MAX_U64) return source
  }
  const value = Number(source)
  if (!Number.isFinite(value)) throw new EncodeError(`Cannot write the number ${source} as it is out of range`)
  return floatText(value)
}
