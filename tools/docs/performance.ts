/** docs/performance.md and its charts, from bench/results. */
import { readdir, readFile } from 'node:fs/promises'
import { barChart, type Bar } from './bar-chart.ts'
import { GENERATED } from './tables.ts'

const RESULTS = new URL('../../bench/results/', import.meta.url)
export const CHARTS_FOLDER = 'docs/charts'

/** What is used of an entry of bench/results. */
export interface Result {
  case: string
  scale: number
  rounds: number
  unit?: string
  ours: Record<string, number>
  peers: Record<string, number>
  ratios: Record<string, number>
  cpuRatios?: Record<string, number>
  samples?: Record<string, number[]>
  environment: {
    date: string
    cpu: string
    cores: number
    memoryGigabytes: number
    load: number
    commit: string
    against?: string
  }
}

/** Cases in the order of the page: what each shows, and what is measured where it is not records per second. */
const CASES: readonly { name: string; title: string; text: string; unit?: string; lowerIsBetter?: boolean }[] = [
  { name: 'consume', title: 'Reading', text: 'Records of 100 bytes, 6 partitions, uncompressed.' },
  { name: 'compressed', title: 'Reading compressed topics', text: 'Records of 1 KB of JSON, 6 partitions.' },
  {
    name: 'partitions',
    title: 'Many partitions',
    text: 'A consumer of 1,000 partitions, to which 1,000 records a second are written in all.',
    unit: 'CPU seconds per million records',
    lowerIsBetter: true,
  },
  { name: 'produce', title: 'Writing', text: 'Records of 100 bytes to 6 partitions, acks=all, idempotent.' },
  {
    name: 'send',
    title: 'Many callers',
    text: '1,000 callers at a time await the acknowledgement of single records of 100 bytes.',
  },
  {
    name: 'latency',
    title: 'Single records',
    text: 'Until acks=all: one at a time (p50), and 10,000 a second with linger 0 and 5 ms (p99).',
    unit: 'milliseconds',
    lowerIsBetter: true,
  },
  {
    name: 'copy',
    title: 'Copying',
    text: 'JSON orders of 155 bytes from topic to topic by a pipeline file without stages.',
  },
  {
    name: 'copy-eos',
    title: 'Exactly once',
    text: 'The same copy in transactions and without, and by Kafka Streams with `exactly_once_v2`.',
  },
  {
    name: 'filter',
    title: 'Filtering',
    text: 'Orders with an amount of at least 100, by a pipeline file of each shape. `documents` parses whole values, Kafka Streams does with Jackson, and MirrorMaker 2 only copies.',
  },
  {
    name: 'avro',
    title: 'Avro',
    text: 'Orders decoded with the schema of a registry, beside `avsc` alone; and filtered from topic to topic, in Avro and in JSON.',
  },
  {
    name: 'materialize',
    title: 'Materializing',
    text: 'Documents of 300 bytes through the materialization connector, beside the library that writes the same records.',
  },
  {
    name: 'broker',
    title: 'The embedded broker',
    text: 'The same client writes and reads records of 100 bytes, on the embedded broker and on Apache Kafka.',
  },
  {
    name: 'watched',
    title: 'Being watched',
    text: 'Reading, copying and filtering with the HTTP server, a scraper and an open dashboard, and without.',
  },
  {
    name: 'startup',
    title: 'Starting',
    text: '`millrace lint` as a whole process, beside a Node that does nothing; and the CPU time that importing the library takes, beside kafkajs.',
    unit: 'milliseconds',
    lowerIsBetter: true,
  },
]

/** All files of the page, by path. */
export async function performancePages(): Promise<Map<string, string>> {
  const results = await newestResults()
  const files = new Map<string, string>()
  const sections: string[] = []
  for (const { name, title, text, unit = 'records per second', lowerIsBetter = false } of CASES) {
    const result = results.get(name)
    if (result === undefined) continue
    const chart = `${CHARTS_FOLDER}/${name}.svg`
    const heading = `${title}: ${unit}, ${lowerIsBetter ? 'lower' : 'higher'} is better`
    files.set(chart, barChart(heading, barsOf(result)))
    sections.push(`## ${title}`, text, `![${heading}](charts/${name}.svg)`, ratiosOf(result), origin(result))
  }
  const page = [
    '# Performance',
    GENERATED,
    'Each chart is the newest result of a case of [the benchmarks](../bench/README.md), which says what is measured and how. Bars are medians of the rounds; the thin line goes from the lowest to the highest round. All contenders of a chart ran in turn on the same machine, beside the broker. Compare bars within a chart, not between charts.',
    'A ratio compares Millrace with a peer. There is none where two runs of the same contender differed by more than 5 %: such a machine is too noisy for it. Entries from before 2026-11-29 had no such control.',
    '[Tuning](tuning.md) says which options matter for which kind of work.',
    ...sections,
  ]
  files.set('docs/performance.md', page.join('\n\n'))
  return files
}

/** The newest result of each case that has peers, or without them where none has. */
export async function newestResults(): Promise<Map<string, Result>> {
  const names = (await readdir(RESULTS)).filter((name) => name.endsWith('.json'))
  const lists = await Promise.all(names.map((name) => readFile(new URL(name, RESULTS), 'utf8')))
  // The files hold what `npm run bench` prints.
  const all = lists.flatMap((text) => JSON.parse(text) as Result[])
  const newest = new Map<string, Result>()
  for (const result of all.toSorted((a, b) => a.environment.date.localeCompare(b.environment.date))) {
    if (result.environment.against !== undefined || Object.keys(result.peers).length === 0) continue
    newest.set(result.case, result)
  }
  return newest
}

function barsOf({ ours, peers, samples = {} }: Result): Bar[] {
  const barOf =
    (isOurs: boolean) =>
    ([label, value]: [string, number]) => {
      const all = samples[label] ?? [value]
      return { label, value, low: Math.min(...all), high: Math.max(...all), isOurs }
    }
  return [...Object.entries(ours).map(barOf(true)), ...Object.entries(peers).map(barOf(false))]
}

function ratiosOf({ ratios, cpuRatios = {} }: Result): string {
  const list = (numbers: Record<string, number>): string =>
    Object.entries(numbers)
      .map(([pair, ratio]) => `\`${pair}\` ${ratio}`)
      .join(', ')
  const parts = [
    Object.keys(ratios).length === 0 ? 'No ratios: the control differed by more than 5 %.' : `Ratios: ${list(ratios)}.`,
    ...(Object.keys(cpuRatios).length === 0 ? [] : [`Of CPU per record: ${list(cpuRatios)}.`]),
  ]
  return parts.join(' ')
}

function origin({ case: name, scale, rounds, environment }: Result): string {
  const { date, cpu, cores, memoryGigabytes, load, commit } = environment
  const command = `npm run -s bench -- ${name} --json${scale === 1 ? '' : ` --scale ${scale}`}${rounds === 3 ? '' : ` --rounds ${rounds}`}`
  return `\`${command}\`, ${date.slice(0, 10)}, commit ${commit}, ${cores} cores of an ${cpu}, ${memoryGigabytes} GB, load before the run ${load}.`
}
