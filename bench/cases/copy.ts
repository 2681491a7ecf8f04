import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bed } from '../bed.ts'
import { type Ended, runMillrace } from '../child.ts'
import { type Contender, race, type Sample } from '../measure.ts'
import { produceWithJava } from '../peers/java.ts'
import { copyWithMirrorMaker } from '../peers/mirrormaker.ts'
import type { Bench, Case } from './case.ts'

const RECORDS = 4_000_000
const DISTINCT_ORDERS = 100_000

/** A file of orders, JSON of about 155 bytes, one per line, as the `generate` source makes them. */
export async function orderFile({ bed }: Bench): Promise<string> {
  const path = join(bed.folder, 'orders.jsonl')
  const pipeline = join(bed.folder, 'orders.json')
  const source = { type: 'generate', options: { records: DISTINCT_ORDERS, seed: 1, template: 'orders' } }
  writeFileSync(pipeline, JSON.stringify({ source, stages: [], sink: { type: 'file', options: { path } } }))
  await runMillrace(['run', pipeline, '--until-end', '--json'])
  return path
}

/** Fills a topic with orders, by Java's producer: what a reader finds are the batches of an ordinary client. */
export async function orderTopic(
  bench: Bench,
  file: string,
  records: number,
  compression: 'none' | 'lz4',
): Promise<string> {
  const topic = await bench.bed.createTopic(bench.bed.name(`orders-${compression}`))
  bench.progress(`writing ${records} orders, compression ${compression}`)
  await produceWithJava(bench.bed, {
    topic,
    records,
    payload: { file },
    properties: { 'compression.type': compression },
  })
  return topic
}

/** A pipeline file from topic to topic: options of source and sink beside the usual ones, in the words of pipeline files. */
export interface TopicPipeline {
  source: { topic: string; groupId: string; [option: string]: unknown }
  stages: readonly object[]
  sink: { topic: string; [option: string]: unknown }
  /** Other keys of the file. */
  top?: { readonly [key: string]: unknown }
}

/** Text of a linear pipeline file. */
function linearFile(bootstrapServers: string, { source, stages, sink, top = {} }: TopicPipeline): string {
  const from = { type: 'kafka', options: { bootstrapServers, 'auto.offset.reset': 'earliest', ...source } }
  const to = {
    type: 'kafka',
    options: { bootstrapServers, acks: 'all', 'linger.ms': 5, 'batch.size': 262_144, ...sink },
  }
  return JSON.stringify({ ...top, source: from, stages, sink: to }, undefined, 2)
}

/** Runs a pipeline file by the command line until it has come to the end of its topic. */
export async function startPipeline(bed: Bed, pipeline: TopicPipeline): Promise<Run> {
  return startFile(bed, { name: `${pipeline.source.groupId}.json`, text: linearFile(bed.bootstrapServers, pipeline) })
}

type Run = Ended & { read: number; written: number }

async function startFile(
  { folder }: Bed,
  { name, text }: { name: string; text: string },
  options: readonly string[] = [],
): Promise<Run> {
  const file = join(folder, name)
  writeFileSync(file, text)
  const ended = await runMillrace(['run', file, '--until-end', '--json', ...options])
  const { result } = JSON.parse(ended.stdout) as { result: Record<'read' | 'written', { records: number }> }
  return { ...ended, read: result.read.records, written: result.written.records }
}

/** Makes a pipeline file of any shape, from the names of its group and of its output topic. */
export type FileMaker = (output: string) => { name: string; text: string }

/** Runs a pipeline file over a whole topic; timed from first append to last, by the broker. @param options of the command line */
export async function runFile(
  { bed }: Bench,
  records: number,
  make: FileMaker,
  options: readonly string[] = [],
): Promise<Sample> {
  const output = await bed.createTopic(bed.name('millrace'), { 'message.timestamp.type': 'LogAppendTime' })
  const file = make(output)
  const { read, written, cpuSeconds, residentMegabytes } = await startFile(bed, file, options)
  if (read !== records) throw new Error(`millrace read ${read} of ${records} records`)
  // Markers of transactions count as records of a topic; what is committed is there when the run ends.
  if (!file.text.includes('exactly_once')) await bed.waitForRecords(output, written)
  const seconds = await bed.secondsOfAppending(output)
  await bed.deleteTopic(output)
  return { records, seconds, cpuSeconds, residentMegabytes }
}

/** The same for a linear file that is made of its parts. */
export async function runPipeline(
  bench: Bench,
  topic: string,
  records: number,
  stages: readonly object[],
  sink: object = {},
  top: { readonly [key: string]: unknown } = {},
  source: object = {},
  options: readonly string[] = [],
): Promise<Sample> {
  const make: FileMaker = (output) => ({
    name: `${output}.json`,
    text: linearFile(bench.bed.bootstrapServers, {
      source: { ...source, topic, groupId: output },
      stages,
      sink: { ...sink, topic: output },
      top,
    }),
  })
  return runFile(bench, records, make, options)
}

export const copy: Case = {
  name: 'copy',
  summary:
    '4 million JSON orders from topic to topic by a pipeline file without stages, uncompressed and lz4, against MirrorMaker 2',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await orderFile(bench)
    const plain = await orderTopic(bench, file, records, 'none')
    const lz4 = await orderTopic(bench, file, records, 'lz4')
    const compressed = { 'compression.type': 'lz4' }
    const contenders: Contender[] = [
      { name: 'millrace', side: 'ours', run: () => runPipeline(bench, plain, records, []) },
      { name: 'mirrormaker', side: 'peers', run: () => copyWithMirrorMaker(bench.bed, plain, records) },
      { name: 'millrace-lz4', side: 'ours', run: () => runPipeline(bench, lz4, records, [], compressed) },
      { name: 'mirrormaker-lz4', side: 'peers', run: () => copyWithMirrorMaker(bench.bed, lz4, records, compressed) },
    ]
    return race(contenders, bench, ['millrace/mirrormaker', 'millrace-lz4/mirrormaker-lz4'])
  },
}
