/**
 * Durations and sizes as people write them.
 */

const ISO_DURATION =
  /^P(?!$)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?!$)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i
/** What durations look like, for JSON Schema. */
export const DURATION_PATTERN = String.raw`^\s*(?:\d+(?:\.\d+)?|[Pp](?:\d+(?:\.\d+)?[WwDd])*(?:[Tt](?:\d+(?:\.\d+)?[HhMmSs])+)?)\s*$`
const MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000] as const

/**
 * Milliseconds of an ISO-8601 duration (`PT0.5S`, `P1DT2H`) or of digits that are milliseconds already.
 * Years and months have no fixed length and are refused. @returns undefined when the text is neither
 */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed)
  const match = ISO_DURATION.exec(trimmed)
  if (match === null) return undefined
  let ms = 0
  for (let i = 0; i < MS.length; i++) ms += Number(match[i + 1] ?? 0) * MS[i]!
  // Thousandths only: 0.1 s and the like are not exact in binary.
  return Math.round(ms * 1000) / 1000
}

/** The ISO-8601 form of something like `5s` or `2 min`, for suggestions. */
export function suggestDuration(text: string): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)\s*$/i.exec(text)
  if (match === null) return undefined
  const unit = match[2]!.toLowerCase()
  if (unit === 'ms') return match[1]!
  return unit.startsWith('d') ? `P${match[1]}D` : `PT${match[1]}${unit[0]!.toUpperCase()}`
}

const SIZES: { readonly [unit: string]: number } = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
}

/** What sizes look like, for JSON Schema. */
export const BYTES_PATTERN = String.raw`^\s*\d+(?:\.\d+)?\s*(?:[kKmMgG](?:[iI]?[bB])?|[bB])?\s*$`

/** Bytes of a number with or without a unit: `65536`, `64KiB`, `1 MB` (10^6), `1M` (2^20). @returns undefined when the text is neither */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const factor = match === null ? undefined : SIZES[match[2]!.toLowerCase()]
  return factor === undefined ? undefined : Math.round(Number(match![1]) * factor)
}

/** `900 B`, `1.5 MB`, `2.3 GB`: three digits, powers of 1000. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], ' ')
}

/** `950`, `12.3k`, `1.25M`: three digits. */
export function formatCount(count: number): string {
  return scaled(count, ['', 'k', 'M', 'G', 'T', 'P'], '')
}

function scaled(value: number, units: readonly string[], space: string): string {
  let rest = value
  let unit = 0
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000
    unit++
  }
  const digits = unit === 0 ? rest.toFixed(0) : rest.toFixed(rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0)
  return `${digits}${space}${units[unit]}`.trim()
}

/** Date, time to the second or finer, and zone; all but the date may be missing. */
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(Z)|([+-])(\d\d):?(\d\d))?$/i

/**
 * Milliseconds since 1970 of a date such as `2026-01-31` or `2026-01-31T08:30:00+01:00`; UTC where no zone is named, whatever the zone of
 * this machine.
 * @returns undefined for other texts, and for dates and times that do not exist
 */
export function parseInstantMs(text: string): number | undefined {
  const match = INSTANT.exec(text.trim())
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ms = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000)
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms))
  // `Date` carries over: February 30 would be March 2.
  const exists =
    utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60 && year >= 1
  const zoneMinutes = Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0)
  if (!exists || zoneMinutes > 18 * 60 || Number(match[11] ?? 0) > 59) return undefined
  return utc.getTime() - (match[9] === '-' ? -1 : 1) * zoneMinutes * 60_000
}

/** A pattern for a word in any case; patterns of JSON Schema have no flag for it. */
export function anyCase(word: string): string {
  return Array.from(word)
    .map((letter) =>
      /[a-z]/.test(letter) ? `[${letter}${letter.toUpperCase()}]` : letter.replace(/[.*+?^${}()|[\]\\]/, '\\$&'),
    )
    .join('')
}

/** `1 record`, `2,000 records`. */
export function counted(count: number, noun: string): string {
  // The first number for a locale costs 12 ms, a tenth of what lint takes.
  const text = count < 1000 ? String(count) : count.toLocaleString('en-US')
  return `${text} ${noun}${count === 1 ? '' : 's'}`
}

/** The same as the subject of what happened: `1 record was`, `2 records were`. */
export function countedWere(count: number, noun: string): string {
  return `${counted(count, noun)} ${count === 1 ? 'was' : 'were'}`
}
