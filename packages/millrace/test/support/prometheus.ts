/**
 * A strict reader of the text format of Prometheus: it refuses whatever the format does not allow, and histograms that contradict
 * themselves. Written by the specification, not by what our writer does.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Family {
  readonly help: string
  readonly type: string
  /** Name, labels in alphabetical order, value. */
  readonly samples: {
    readonly name: string
    readonly labels: { readonly [label: string]: string }
    readonly value: number
  }[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

/** @throws {Error} with the line that is wrong, and why */
export function readPrometheus(text: string): Map<string, Family> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line does not end')
  const families = new Map<string, Family>()
  let current = ''
  const seen = new Set<string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const refuse = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    const [, keyword, named, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (families.has(named!)) refuse('A second HELP, or samples of a metric that are not together')
      if (/(?:^|[^\\])(?:\\\\)*\\[^\\n]/.test(rest!)) refuse('An unknown escape')
      families.set(named!, { help: rest!, type: '', samples: [] })
      current = named!
    } else if (keyword === 'TYPE') {
      const family = families.get(named!)
      if (family === undefined || named !== current || family.type !== '' || family.samples.length > 0)
        refuse('TYPE must follow HELP, once, before the samples')
      if (!TYPES.includes(rest!)) refuse('An unknown type')
      families.set(named!, { ...family!, type: rest! })
    } else {
      const sample = readSample(line, refuse)
      const family = families.get(current)
      const base = family?.type === 'histogram' ? sample.name.replace(/_(?:bucket|sum|count)$/, '') : sample.name
      if (family === undefined || base !== current) refuse('A sample without its HELP and TYPE')
      if (family!.type === 'histogram' && base === sample.name) refuse('A histogram has no value of its own')
      if (family!.type === 'counter' && !(sample.value >= 0)) refuse('A counter is never negative')
      const key = `${sample.name}${JSON.stringify(sample.labels)}`
      if (seen.has(key)) refuse('A second sample with the same labels')
      seen.add(key)
      family!.samples.push(sample)
    }
  }
  for (const [name, family] of families) {
    if (family.samples.length === 0) throw new Error(`${name} has no samples`)
    if (family.type === 'histogram') checkHistogram(name, family)
  }
  return families
}

function readSample(line: string, refuse: (why: string) => never): Family['samples'][number] {
  const [name] = NAME.exec(line) ?? refuse('Not a name')
  let rest = line.slice(name.length)
  const labels: [string, string][] = []
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    while (!rest.startsWith('}')) {
      const [whole, label, escaped] = LABEL.exec(rest) ?? refuse('Not a label')
      if (labels.some(([other]) => other === label)) refuse('A label twice')
      labels.push([label!, escaped!.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))])
      rest = rest.slice(whole.length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (!rest.startsWith('}')) refuse('No comma between labels')
    }
    rest = rest.slice(1)
  }
  if (!rest.startsWith(' ') || !NUMBER.test(rest.slice(1))) refuse('Not a value')
  const value = Number(rest.slice(1).replace('Inf', 'Infinity'))
  return { name, labels: Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1))), value }
}

function checkHistogram(name: string, { samples }: Family): void {
  const groups = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }))
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels: { le } }) => Number(le?.replace('Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const count = group.find((sample) => sample.name === `${name}_count`)?.value
    const sum = group.find((sample) => sample.name === `${name}_sum`)?.value
    const grow = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n >= numbers[i - 1]!)
    const isWhole = bounds.at(-1) === Infinity && new Set(bounds).size === bounds.length && grow(bounds) && grow(counts)
    if (!isWhole || counts.at(-1) !== count || sum === undefined)
      throw new Error(`The histogram ${name}${labels} contradicts itself`)
  }
}
