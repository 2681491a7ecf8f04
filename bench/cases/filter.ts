import { readFileSync } from 'node:fs'
import { type CaseResult, race, round3 } from '../measure.ts'
import { copyWithMirrorMaker } from '../peers/mirrormaker.ts'
import { runStreams } from '../peers/streams.ts'
import type { Case } from './case.ts'
import { type FileMaker, orderFile, orderTopic, runFile, runPipeline } from './copy.ts'

const RECORDS = 4_000_000
const MINIMUM = 100
const SHAPES = ['millrace', 'millrace-graph', 'millrace-connectors']

export const filter: Case = {
  name: 'filter',
  summary:
    '4 million JSON orders, those with an amount of at least 100 from topic to topic, by a file of each shape, against Kafka Streams, a plain copy by MirrorMaker 2 and our own parsing of whole documents',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await orderFile(bench)
    const topic = await orderTopic(bench, file, records, 'none')
    const { bootstrapServers } = bench.bed
    const stages = [{ $match: { amount: { $gte: MINIMUM } } }]
    // The same filter in words that need the whole document.
    const onDocuments = [{ $match: { $expr: { $gte: ['$amount', MINIMUM] } } }]
    const result = await race(
      [
        { name: 'millrace', side: 'ours', run: () => runPipeline(bench, topic, records, stages) },
        { name: 'millrace-graph', side: 'ours', run: () => runFile(bench, records, graph(bootstrapServers, topic)) },
        {
          name: 'millrace-connectors',
          side: 'ours',
          run: () => runFile(bench, records, connectors(bootstrapServers, topic)),
        },
        { name: 'documents', side: 'ours', run: () => runPipeline(bench, topic, records, onDocuments) },
        {
          name: 'kafka-streams',
          side: 'peers',
          run: () => runStreams(bench.bed, { topic, records, minimum: MINIMUM }),
        },
        { name: 'mirrormaker', side: 'peers', run: () => copyWithMirrorMaker(bench.bed, topic, records) },
      ],
      bench,
      SHAPES.flatMap((ours) => ['kafka-streams', 'mirrormaker'].map((peer) => `${ours}/${peer}`)),
    )
    return { ...result, ratios: withOwnRatios(result), matching: shareOfMatching(file) }
  },
}

/** Any shape of file should do: the slowest must not be more than a tenth behind. None of these where the machine was too noisy for ratios. */
function withOwnRatios({ ours, ratios }: CaseResult): CaseResult['ratios'] {
  if (Object.keys(ratios).length === 0) return ratios
  const rates = SHAPES.flatMap((name) => ours[name] ?? [])
  const own = {
    'fields/documents': ours['millrace']! / ours['documents']!,
    'slowest shape/fastest shape': Math.min(...rates) / Math.max(...rates),
  }
  return { ...ratios, ...Object.fromEntries(Object.entries(own).map(([name, ratio]) => [name, round3(ratio)])) }
}

/** The filter as a stage graph, by the functions of its host. */
function graph(bootstrapServers: string, topic: string): FileMaker {
  return (output) => ({
    name: `${output}.toml`,
    text: `
[global]
execution_mode = "streaming"

[[stages]]
id = "consume"
function = "kafka"
[stages.config]
brokers = "${bootstrapServers}"
topic = "${topic}"
group_id = "${output}"

[[stages]]
id = "filter"
function = "filter.apply"
inputs = ["consume"]
[stages.config]
column = "amount"
operator = ">="
value = "100"

[[stages]]
id = "produce"
function = "kafka"
inputs = ["filter"]
[stages.config]
brokers = "${bootstrapServers}"
topic = "${output}"
linger.ms = 5
batch.size = 262144
`,
  })
}

/** The filter as a bridge between connectors. */
function connectors(bootstrapServers: string, topic: string): FileMaker {
  return (output) => ({
    name: `${output}.yaml`,
    text: `
bridges:
  orders:
    source: { connector: kafka-source, config: { brokers: "${bootstrapServers}", topic: ${topic}, consumer_group: ${output} } }
    transforms:
      - filter.apply: { column: amount, operator: ">=", value: 100 }
    sink:
      connector: kafka-sink
      config: { brokers: "${bootstrapServers}", topic: ${output}, linger_ms: 5, batch_size_bytes: 262144 }
`,
  })
}

/** The share of the orders that the filter lets through; rates are of records read. */
function shareOfMatching(file: string): number {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.filter((line) => (JSON.parse(line) as { amount: number }).amount >= MINIMUM).length / lines.length
}
