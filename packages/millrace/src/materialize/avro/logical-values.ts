/** Dates, times and durations as Avro's logical types hold them; undefined for text that is none. */

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const DAY_MS = 86_400_000

/** `YYYY-MM-DD` in days since 1970. */
export function daysOf(text: string): number | undefined {
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return undefined
  const ms = utc(Number(year), Number(month), Number(day))
  return ms === undefined ? undefined : ms / DAY_MS
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** RFC 3339 in microseconds since 1970, truncated toward zero. */
export function microsecondsOf(text: string): bigint | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match.slice(7)
  const ms = utc(year, month, day)
  if (ms === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60 : 60)
  const seconds = ms / 1000 + hour * 3600 + minute * 60 + second - offset
  return (BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9))) / 1000n
}

/** Milliseconds of a day that exists. */
function utc(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined
}

const DURATION = /P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?/
const MAX_U32 = 0xffffffff

/** An ISO 8601 duration as months, days and milliseconds, of 4 bytes each. What follows the part that is understood is ignored. */
export function durationOf(text: string): Buffer | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const [years, months, days, hours, minutes, seconds] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const fraction = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const parts = [years * 12 + months, days, hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + fraction]
  if (parts.some((part) => part > MAX_U32)) return undefined
  const bytes = Buffer.alloc(12)
  parts.forEach((part, i) => bytes.writeUInt32LE(part, 4 * i))
  return bytes
}
