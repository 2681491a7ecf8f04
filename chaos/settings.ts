/**
 * What a scenario is run with. A setting is one value of each dimension below; a run draws it from its seed, out of what the
 * scenario allows, and prints it in the form in which `--setting` takes it.
 */
import type { Random } from './random.ts'

export const DIMENSIONS = {
  delivery: ['at_least_once', 'exactly_once', 'at_most_once'],
  /** `default` does not set it. */
  acks: ['default', 'all', '1', '0'],
  /** Three brokers have three replicas of everything. */
  brokers: [1, 3],
  partitions: [6, 96],
  /** A linear file as YAML, a stage graph as TOML, a bridge of connectors as YAML; or a program with the library. */
  file: ['linear', 'graph', 'bridge', 'library'],
  /** Without a stage, so that whole record batches are forwarded, or with one, so that each value is parsed and written. */
  stages: ['none', 'one'],
  /** What users leave alone, or times so short that a minute holds many faults. */
  options: ['default', 'quick'],
} as const

export type Dimension = keyof typeof DIMENSIONS
export type Setting = { readonly [D in Dimension]: (typeof DIMENSIONS)[D][number] }
export type Delivery = Setting['delivery']

/** For some dimensions, the only values that make sense or are asked for. */
export type Allowed = { readonly [D in Dimension]?: readonly Setting[D][] }

/** What a file can say. Bridges and programs have no `at_most_once`, and Millrace refuses exactly_once without `acks: all`. */
function isPossible({ delivery, acks, file }: Setting): boolean {
  if (delivery === 'exactly_once') return acks === 'default' || acks === 'all'
  return !((file === 'bridge' || file === 'library') && delivery === 'at_most_once')
}

/** All settings within all of `limits`. */
export function settingsWithin(...limits: readonly Allowed[]): readonly Setting[] {
  let settings: readonly Partial<Setting>[] = [{}]
  for (const [dimension, values] of Object.entries(DIMENSIONS)) {
    const left = (values as readonly unknown[]).filter((value) =>
      limits.every(
        (limit) => (limit[dimension as Dimension] as readonly unknown[] | undefined)?.includes(value) ?? true,
      ),
    )
    settings = settings.flatMap((setting) => left.map((value) => ({ ...setting, [dimension]: value })))
  }
  return (settings as readonly Setting[]).filter(isPossible)
}

/** @throws {Error} when the limits leave nothing */
export function drawSetting(random: Random, ...limits: readonly Allowed[]): Setting {
  const settings = settingsWithin(...limits)
  if (settings.length === 0)
    throw new Error(`No setting is within ${limits.map((limit) => JSON.stringify(limit)).join(' and ')}`)
  return random.pick(settings)
}

/** `delivery=exactly_once,brokers=3`: what it names is fixed. @throws {Error} for a name or a value that there is not */
export function parseSetting(text: string): Allowed {
  const entries = text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [dimension = '', value] = part.split('=')
      const values: readonly (string | number)[] | undefined = DIMENSIONS[dimension as Dimension]
      if (values === undefined)
        throw new Error(`"${dimension}" is none of ${Object.keys(DIMENSIONS).join(', ')}: current value is "${text}"`)
      const found = values.find((each) => String(each) === value)
      if (found === undefined)
        throw new Error(`${dimension} must be ${values.join(' or ')}: current value is "${value ?? ''}"`)
      return [dimension, [found]]
    })
  return Object.fromEntries(entries) as Allowed
}

export function printSetting(setting: Setting): string {
  return Object.entries(setting)
    .map(([dimension, value]) => `${dimension}=${value}`)
    .join(',')
}
