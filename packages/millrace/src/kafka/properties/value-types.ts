/**
 * Types of Kafka properties that only Kafka has: addresses, Java class names, positions.
 */
import type { Report, ValueType } from '../../options/declaration.ts'
import { ALL_CODEC_NAMES, schemaCodecOfClass } from '../../contracts/codec-names.ts'
import { closest, didYouMean } from '../../options/suggest.ts'
import { anyCase, parseDurationMs, parseInstantMs } from '../../options/units.ts'

/** Where to begin without a committed offset. */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly timestampMs: number }

/** Names of the assignors that Millrace has, as they appear on the wire; the same as Java's. */
export const ASSIGNORS = ['range', 'roundrobin', 'cooperative-sticky'] as const
export type AssignorName = (typeof ASSIGNORS)[number]

/** Partitioners that have a name; a program may also give a function. */
export const PARTITIONERS = ['murmur2', 'crc32', 'round_robin', 'sticky'] as const
export type PartitionerName = (typeof PARTITIONERS)[number]

/** `host:port`, as `kafka/cluster/cluster.ts` reads it. */
export const address: ValueType<string> = {
  expected: 'an address such as "broker1:9092"',
  schema: { type: 'string' },
  read(value, report) {
    const match =
      typeof value === 'string'
        ? /^\s*(?:[A-Z_]+:\/\/)?(?:\[[^\]\s]+\]|[^:[\]/\s]+)(?::(\d{1,5}))?\s*$/.exec(value)
        : null
    const port = Number(match?.[1] ?? 9092)
    if (match !== null && port > 0 && port < 65_536) return (value as string).trim()
    report({
      expected: this.expected,
      found: value,
      suggestion: typeof value === 'string' && /^https?:/.test(value) ? 'remove the scheme' : undefined,
    })
    return ''
  },
}

/** A position: `earliest`, `latest`, `none`, `by_duration:PT1H` (KIP-1106) or `timestamp:` with a date (UTC where it names no zone) or milliseconds. */
export const offsetReset: ValueType<OffsetReset> = {
  expected:
    '"earliest", "latest", "none", "by_duration:" with a duration such as PT1H, or "timestamp:" with a date or milliseconds',
  schema: {
    type: 'string',
    pattern: `^\\s*(?:${['earliest', 'latest', 'none'].map(anyCase).join('|')}|(?:${anyCase('by_duration')}|${anyCase('timestamp')}):.+)\\s*$`,
  },
  written: ['`timestamp:${string}`', '`by_duration:${string}`'],
  read(value, report) {
    if (typeof value === 'object' && value !== null && isTimestampMs((value as { timestampMs?: unknown }).timestampMs))
      return value as OffsetReset
    const text = typeof value === 'string' ? value.trim() : ''
    const word = text.toLowerCase()
    if (word === 'earliest' || word === 'latest' || word === 'none') return word
    const [, kind, argument = ''] = /^(by_duration|timestamp):(.+)$/i.exec(text) ?? []
    const duration = kind?.toLowerCase() === 'by_duration' ? parseDurationMs(argument) : undefined
    const isNumber = /^[\d.]+$/.test(argument)
    const timestampMs =
      duration !== undefined
        ? Date.now() - duration
        : kind?.toLowerCase() !== 'timestamp'
          ? undefined
          : isNumber
            ? Number(argument)
            : parseInstantMs(argument)
    const isSeconds = isNumber && SECONDS.test(argument)
    if (isTimestampMs(timestampMs) && !isSeconds) return { timestampMs }
    report({
      expected: this.expected,
      found: value,
      suggestion: isSeconds
        ? `that looks like seconds: write timestamp:${Math.floor(Number(argument))}000`
        : (RESETS[word] ?? didYouMean(text, ['earliest', 'latest', 'none'])),
    })
    return 'none'
  },
}

/** Seconds since 1970 of a time that Kafka has seen; as milliseconds they would be a day in 1970. */
const SECONDS = /^\d{9,10}(?:\.\d*)?$/

/** Whether a number can be the time of a record. */
function isTimestampMs(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 8.64e15
}

const RESETS: { readonly [word: string]: string } = {
  beginning: 'write "earliest"',
  smallest: 'write "earliest"',
  end: 'write "latest"',
  largest: 'write "latest"',
}

export const assignor: ValueType<AssignorName> = javaName(
  'an assignor',
  ASSIGNORS,
  {
    RangeAssignor: 'range',
    RoundRobinAssignor: 'roundrobin',
    CooperativeStickyAssignor: 'cooperative-sticky',
  },
  { StickyAssignor: 'write "cooperative-sticky"', sticky: 'write "cooperative-sticky"' },
)

export const partitioner: ValueType<PartitionerName> = javaName('a partitioner', PARTITIONERS, {
  DefaultPartitioner: 'murmur2',
  BuiltInPartitioner: 'murmur2',
  UniformStickyPartitioner: 'sticky',
  RoundRobinPartitioner: 'round_robin',
  murmur2_random: 'murmur2',
  consistent_random: 'crc32',
})

const SERDES = [
  'String',
  'ByteArray',
  'ByteBuffer',
  'Bytes',
  'Short',
  'Integer',
  'Long',
  'Float',
  'Double',
  'UUID',
  'Void',
] as const

export const serializer: ValueType<string> = serde('Serializer')
export const deserializer: ValueType<string> = serde('Deserializer')

/** One of our names, or a Java class with or without its package. */
function javaName<T extends string>(
  what: string,
  names: readonly T[],
  classes: { readonly [className: string]: T },
  hints: { readonly [name: string]: string } = {},
): ValueType<T> {
  const expected = `${what}: ${names.map((name) => `"${name}"`).join(', ')} or the Java class of one of them`
  return {
    expected,
    schema: {
      type: 'string',
      pattern: `^\\s*(?:${[...names.map(anyCase), `(?:[\\w$]+\\.)*(?:${Object.keys(classes).join('|')})`].join('|')})\\s*$`,
    },
    read(value, report) {
      const short = shortName(value)
      const found =
        names.find((name) => name === short.toLowerCase()) ??
        (Object.hasOwn(classes, short) ? classes[short] : undefined)
      if (found === undefined)
        report({
          expected,
          found: value,
          suggestion: hints[short] ?? didYouMean(short, [...names, ...Object.keys(classes)]),
        })
      return found ?? names[0]!
    },
  }
}

const PACKAGE = 'org.apache.kafka.common.serialization.'

/** Returns the name of a codec, or the full name of a (de)serializer class of Kafka itself. */
function serde(kind: 'Serializer' | 'Deserializer'): ValueType<string> {
  const classes = SERDES.map((type) => `${type}${kind}`)
  const expected = `one of ${ALL_CODEC_NAMES.join(', ')}, or a ${kind.toLowerCase()} class of Kafka: ${classes.join(', ')}`
  return {
    expected,
    schema: { type: 'string' },
    read(value: unknown, report: Report) {
      const named =
        ALL_CODEC_NAMES.find((name) => name === value) ??
        (typeof value === 'string' ? schemaCodecOfClass(value) : undefined)
      if (named !== undefined && !isOfOtherKind(value, kind)) return named
      const short = shortName(value)
      const isKafkas = typeof value === 'string' && (value.trim() === short || value.trim().startsWith(PACKAGE))
      if (isKafkas && classes.includes(short)) return `${PACKAGE}${short}`
      const suggestion = isKafkas ? guessed(short, kind) : undefined
      report({ expected, found: value, suggestion })
      return `${PACKAGE}${classes[0]!}`
    },
  }
}

/** A deserializer where a serializer is expected, or the other way round. */
function isOfOtherKind(value: unknown, kind: 'Serializer' | 'Deserializer'): boolean {
  return (
    typeof value === 'string' && value.endsWith('Serializer') !== (kind === 'Serializer') && /serializer$/i.test(value)
  )
}

/** By what is before the kind, which would make all of them look alike. */
function guessed(short: string, kind: string): string | undefined {
  const type = closest(short.replace(/(?:De)?[sS]erializer$/, ''), SERDES)
  return type === undefined ? undefined : `did you mean "${type}${kind}"`
}

function shortName(value: unknown): string {
  return typeof value === 'string'
    ? value
        .trim()
        .replace(/^class\s+/, '')
        .replace(/^.*\./, '')
    : ''
}
