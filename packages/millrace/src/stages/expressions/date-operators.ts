/**
 * Operators on dates. The records of a pipeline hold dates as text (or as milliseconds, such as `_meta.timestamp`), so all of
 * them take text, which the engine's own do not; and what is missing or null gives null.
 */
import { describeValue } from '../../options/values.ts'
import { DATE_TEXT, DATE_UNITS, readDate } from './dates.ts'
import { isMissing, type Engine, type Evaluation, type Operator, type Operators } from './operator.ts'

type Arguments = { readonly [name: string]: unknown }

export const DATE_OPERATORS: Operators = {
  $dateAdd: moved('$dateAdd', 1),
  $dateDiff: onDates('$dateDiff', 'startDate! endDate! unit! timezone startOfWeek', ['startDate', 'endDate']),
  $dateFromParts: {},
  $dateFromString: {},
  $dateSubtract: moved('$dateSubtract', -1),
  $dateToParts: onDates('$dateToParts', 'date! timezone iso8601', ['date']),
  $dateToString: onDates('$dateToString', 'date! format timezone onNull', ['date'], ({ onNull }) => onNull ?? null),
  $dateTrunc: onDates('$dateTrunc', 'date! unit! binSize timezone startOfWeek', ['date']),
  $dayOfMonth: part('$dayOfMonth'),
  $dayOfWeek: part('$dayOfWeek'),
  $dayOfYear: part('$dayOfYear'),
  $hour: part('$hour'),
  $isoDayOfWeek: part('$isoDayOfWeek'),
  $isoWeek: part('$isoWeek'),
  /** The year that the week belongs to: the last days of December may be in the first week of the next one. */
  $isoWeekYear: part('$isoWeekYear', (read) => {
    const [year, month, week] = [read('$year'), read('$month'), read('$isoWeek')]
    return month === 12 && week === 1 ? year + 1 : month === 1 && week >= 52 ? year - 1 : year
  }),
  $millisecond: part('$millisecond'),
  $minute: part('$minute'),
  $month: part('$month'),
  $second: part('$second'),
  /** Weeks begin on Sundays; the days before the first one are in week 0. */
  $week: part('$week', (read) => Math.floor((read('$dayOfYear') + 7 - read('$dayOfWeek')) / 7)),
  $year: part('$year'),
}

/** `timezone` as the engine knows it, which has no name for its own. */
function inZone({ timezone, ...others }: Arguments): Arguments {
  return isMissing(timezone) || (typeof timezone === 'string' && /^(?:UTC|GMT|Z)$/i.test(timezone))
    ? others
    : { ...others, timezone }
}

/** An operator over a date, or over `{date, timezone}`. @param compute is passed what applies an operator of the engine to it */
function part(name: string, compute = (read: (operator: string) => number): number => read(name)): Operator {
  return {
    unary: true,
    run: (engine) => (document, argument, options) => {
      const value = engine.evaluate(document, argument, options)
      const isObject = typeof value === 'object' && value !== null && !(value instanceof Date)
      const given = (isObject ? value : { date: value }) as Arguments
      const date = readDate(name, given['date'])
      if (date === undefined) return null
      const literal = { $literal: inZone({ ...given, date }) }
      return compute((operator) => engine.operator(operator)(document, literal, options) as number)
    },
  }
}

/** An operator whose arguments have names, some of them dates. @param onNull its value when one of the dates is missing */
function onDates(
  name: string,
  named: string,
  dates: readonly string[],
  onNull: (given: Arguments) => unknown = () => null,
): Operator {
  return {
    named,
    run: (engine) => (document, argument, options) => {
      const given = engine.evaluate(document, argument, options) as Arguments
      checkUnit(name, given)
      const read = dates.map((date) => [date, readDate(name, given[date])] as const)
      if (read.some(([, date]) => date === undefined)) return onNull(given)
      const literal = { $literal: inZone({ ...given, ...Object.fromEntries(read) }) }
      return engine.operator(name)(document, literal, options)
    },
  }
}

function checkUnit(name: string, { unit }: Arguments): void {
  if (!isMissing(unit) && !(DATE_UNITS as unknown[]).includes(unit))
    throw new Error(`${name} needs a unit, one of ${DATE_UNITS.join(', ')}: found ${describeValue(unit)}`)
}

/** `$dateAdd` or `$dateSubtract`: takes text, too, and returns text of the same form: without a zone where there was none. */
function moved(name: string, sign: 1 | -1): Operator {
  return {
    named: 'startDate! unit! amount! timezone',
    run: (engine) => {
      const move = inMonths(engine, engine.operator(name), sign)
      return (document, argument, options) => {
        const { startDate: start, ...rest } = engine.evaluate(document, argument, options) as Arguments
        checkUnit(name, rest)
        const date = readDate(name, start)
        if (date === undefined || isMissing(rest['unit']) || isMissing(rest['amount'])) return null
        const result = move(document, { $literal: inZone({ ...rest, startDate: date }) }, options)
        const match = typeof start === 'string' ? DATE_TEXT.exec(start) : null
        if (match === null || !(result instanceof Date)) return result
        const [, , separator, , fraction = '', utc, hours] = match
        const iso = result.toISOString()
        if (separator === undefined && iso.endsWith('T00:00:00.000Z')) return iso.slice(0, 10)
        return `${iso.slice(0, fraction === '' ? 19 : 23)}${(utc ?? hours) === undefined ? '' : 'Z'}`
      }
    },
  }
}

const MONTHS: { readonly [unit: string]: number } = { month: 1, quarter: 3, year: 12 }

/** Adds months as calendars do: a month after the 31st of January is the last day of February. */
function inMonths(engine: Engine, move: Evaluation, sign: 1 | -1): Evaluation {
  return (document, argument, options) => {
    const { startDate, unit, amount, timezone } = engine.evaluate(document, argument, options) as Arguments
    const months = typeof unit === 'string' ? MONTHS[unit] : undefined
    if (months === undefined || !(startDate instanceof Date) || typeof amount !== 'number' || timezone !== undefined)
      return move(document, argument, options)
    const result = new Date(startDate)
    result.setUTCDate(1)
    result.setUTCMonth(result.getUTCMonth() + sign * months * amount)
    const lastDay = new Date(Date.UTC(result.getUTCFullYear(), result.getUTCMonth() + 1, 0)).getUTCDate()
    result.setUTCDate(Math.min(startDate.getUTCDate(), lastDay))
    return result
  }
}
