/** Dates as the records of a pipeline hold them: text, or milliseconds such as `_meta.timestamp`. */
import { describeValue } from '../../options/values.ts'

/** A date as text: day, then a `T` or blank with time, fraction and zone, the last three only with a time. */
export const DATE_TEXT = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d(?::\d\d)?)(\.\d+)? ?(?:(Z)|([+-]\d\d):?(\d\d))?)?$/i

/** Units of time in operators on dates. */
export const DATE_UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond']

/**
 * Text without a zone is in UTC, wherever the process runs.
 *
 * @param operator for the message
 * @returns undefined for what is missing or null
 * @throws {Error} for what is no date
 */
export function readDate(operator: string, value: unknown): Date | undefined {
  if (value === undefined || value === null) return undefined
  const date =
    value instanceof Date || typeof value === 'number'
      ? new Date(value)
      : typeof value === 'string'
        ? readText(value)
        : undefined
  if (date === undefined || Number.isNaN(date.getTime()))
    throw new Error(`${operator} needs a date such as "2026-01-31T12:00:00Z": found ${describeValue(value)}`)
  return date
}

function readText(text: string): Date | undefined {
  const match = DATE_TEXT.exec(text)
  if (match === null) return undefined
  const [, day = '', , time = '00:00', fraction = '', , hours, minutes] = match
  // The engine of JavaScript takes the 30th of February for the 2nd of March.
  const midnight = new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return undefined
  const seconds = time.length === 5 ? ':00' : ''
  return new Date(`${day}T${time}${seconds}${fraction}${hours === undefined ? 'Z' : `${hours}:${minutes!}`}`)
}
