/** What the counters of Kafka connectors have in common: the sizes of batches, and how snapshots become text and JSON. */
import { ConfigError } from '../errors/index.ts'

/** Sizes of batches that were not empty, in messages. */
export class BatchSizes {
  min = 0
  max = 0
  sum = 0
  count = 0

  add(messages: number): void {
    this.min = this.count === 0 ? messages : Math.min(this.min, messages)
    this.max = Math.max(this.max, messages)
    this.sum += messages
    this.count++
  }
}

/** A line of the Prometheus text: name without prefix, help, type, and value. */
export type Line = readonly [name: string, help: string, type: 'counter' | 'gauge', value: number | string]

/** HELP, TYPE and value for each metric, without blank lines. @throws {ConfigError} when the prefix cannot begin a name */
export function linesText(prefix: string, lines: readonly Line[]): string {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix))
    throw new ConfigError(
      `Cannot write metrics with the prefix "${prefix}" as it must be letters, digits, "_" and ":", and must not begin with a digit`,
    )
  return lines
    .map(([name, help, type, value]) => {
      const full = `${prefix}_${name}`
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${full} ${value}\n`
    })
    .join('')
}

/** The gauges that both kinds of connectors end with. */
export function sizeLines(min: number, max: number, average: number): readonly Line[] {
  return [
    ['batch_size_min', 'Minimum batch size', 'gauge', min],
    ['batch_size_max', 'Maximum batch size', 'gauge', max],
    ['batch_size_avg', 'Average batch size', 'gauge', average.toFixed(2)],
  ]
}

/**
 * Reads a snapshot that was written as JSON.
 * @param names of the fields; others are ignored, as Rivven does
 * @throws {ConfigError} for text that is not JSON, and for a field that is missing or not a whole number of at least 0
 */
export function numbersFrom<N extends string>(json: unknown, names: readonly N[]): { readonly [name in N]: number } {
  const value = typeof json === 'string' ? parse(json) : json
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError('Cannot read a snapshot of metrics as it must be a JSON object')
  const numbers = names.map((name) => {
    const number: unknown = (value as { readonly [name: string]: unknown })[name] // it is an object
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
      throw new ConfigError(
        `Cannot read a snapshot of metrics as "${name}" must be a whole number of at least 0: current value is ${JSON.stringify(number) ?? 'missing'}`,
      )
    return [name, number] as const
  })
  // The names are those that were asked for.
  return Object.fromEntries(numbers) as { readonly [name in N]: number }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConfigError('Cannot read a snapshot of metrics as it is not valid JSON')
  }
}
