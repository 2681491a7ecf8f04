import { readFileSync } from 'node:fs'
import { race, round3 } from '../measure.ts'
import { copyWithMirrorMaker } from '../peers/mirrormaker.ts'
import type { Case } from './case.ts'
import { type FileMaker, orderFile, orderTopic, runFile, runPipeline } from './copy.ts'

const RECORDS = 4_000_000

export const filter: Case = {
  name: 'filter',
  summary:
    '4 million JSON orders, those with an amount of at least 100 from topic to topic, by a file of each shape, against a plain copy by MirrorMaker 2',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await orderFile(bench)
    const topic = await orderTopic(bench, file, records, 'none')
    const { bootstrapServers } = bench.bed
    const stages = [{ $match: { amount: { $gte: 100 } } }]
    const result = await race(
      [
        { name: 'millrace', side: 'ours', run: () => runPipeline(bench, topic, records, stages) },
        { name: 'millrace-graph', side: 'ours', run: () => runFile(bench, records, graph(bootstrapServers, topic)) },
        {
          name: 'millrace-connectors',
          side: 'ours',
          run: () => runFile(bench, records, connectors(bootstrapServers, topic)),
        },
        { name: 'mirrormaker', side: 'peers', run: () => copyWithMirrorMaker(bench.bed, topic, records) },
      ],
      bench,
    )
    const rates = Object.values(result.ours)
    // Any shape of file should do: the slowest must not be more than a tenth behind.
    const ratios = { ...result.ratios, 'slowest shape/fastest shape': round3(Math.min(...rates) / Math.max(...rates)) }
    return { ...result, ratios, matching: shareOfMatching(file) }
  },
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
  return lines.filter((line) => (JSON.parse(line) as { amount: number }).amount >= 100).length / lines.length
}
