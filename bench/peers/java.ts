/** Kafka's own performance tools, run with the virtual machine settings of Kafka's `bin/kafka-run-class.sh`. */

import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileJava } from '../../test-bed/java.ts'
import type { Bed } from '../bed.ts'
import { type Ended, lastLine, waitFor } from '../child.ts'
import type { Sample } from '../measure.ts'

const JVM = [
  '-Xmx512m',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
]

/** What a producer of the benchmarks is set to, in Kafka's words. */
const PRODUCER = { acks: 'all', 'linger.ms': 5, 'batch.size': 65_536 }

/** Consumes a topic with ConsumerPerformance; the rate is its `nMsg.sec`, that is, joining the group included. */
export async function consumeWithJava(bed: Bed, topic: string, records: number): Promise<Sample> {
  const args = [
    '--topic',
    topic,
    '--num-records',
    `${records}`,
    '--group',
    bed.name('java'),
    '--timeout',
    '60000',
    '--hide-header',
  ]
  const { stdout, cpuSeconds } = await tool(bed, 'org.apache.kafka.tools.ConsumerPerformance', args)
  const columns = stdout.trim().split('\n').at(-1)!.split(', ')
  const read = Number(columns[4])
  const rate = Number(columns[5])
  if (!(read >= records) || !(rate > 0))
    throw new Error(`ConsumerPerformance did not read ${records} records:\n${stdout}`)
  return { records: read, seconds: read / rate, cpuSeconds }
}

export interface JavaProduce {
  topic: string
  records: number
  /** Records of 100 bytes made up on the way, or lines of a file, read beforehand and drawn at random. */
  payload: { recordSize: number } | { file: string }
  properties?: Readonly<Record<string, string | number>>
}

/** Writes to a topic with ProducerPerformance; the time runs from its first record to the end of `close`. */
export async function produceWithJava(
  bed: Bed,
  { topic, records, payload, properties = {} }: JavaProduce,
): Promise<Sample> {
  const from = 'file' in payload ? ['--payload-file', payload.file] : ['--record-size', `${payload.recordSize}`]
  const settings = Object.entries({ ...PRODUCER, ...properties }).map(([name, value]) => `${name}=${value}`)
  const args = [
    '--topic',
    topic,
    '--num-records',
    `${records}`,
    '--throughput',
    '-1',
    ...from,
    '--command-property',
    ...settings,
  ]
  const { stdout, cpuSeconds } = await tool(bed, 'org.apache.kafka.tools.ProducerPerformance', args)
  const [, sent, rate] = /(\d+) records sent, ([\d.]+) records\/sec/.exec(stdout.trim().split('\n').at(-1)!) ?? []
  if (Number(sent) !== records) throw new Error(`ProducerPerformance did not send ${records} records:\n${stdout}`)
  return { records, seconds: records / Number(rate), cpuSeconds }
}

export type JavaProgram = 'ProduceLatency' | 'ConsumeSteadily' | 'WriteSteadily'

/**
 * Compiles a program of `programs/`, once for a run.
 * @returns the folder with its class
 */
async function compiled(bed: Bed, program: JavaProgram): Promise<string> {
  const classes = join(bed.folder, 'classes')
  mkdirSync(classes, { recursive: true })
  if (!existsSync(join(classes, `${program}.class`)))
    await compileJava(join(import.meta.dirname, 'programs', `${program}.java`), classes)
  return classes
}

/** Starts a program of ours that uses Kafka's Java clients; the caller ends it. */
export async function startJavaProgram(bed: Bed, program: JavaProgram, args: readonly string[]): Promise<ChildProcess> {
  return bed.kafka.spawnJava(program, args, { jvmArgs: JVM, classPath: [await compiled(bed, program)] })
}

/** Runs a program of ours that uses Kafka's Java clients: options as name=value, the answer as JSON in the last line. */
export async function runJavaProgram(bed: Bed, program: JavaProgram, options: object): Promise<Sample & Ended> {
  const args = Object.entries(options).map(([name, value]) => `${name}=${value}`)
  // Before its time is taken.
  await compiled(bed, program)
  const ended = await waitFor(await startJavaProgram(bed, program, args), program)
  return { ...ended, ...(lastLine(ended.stdout) as { records: number; seconds: number }) }
}

async function tool(bed: Bed, className: string, args: readonly string[]): Promise<Ended> {
  const child = await bed.kafka.spawnJava(className, [...args, '--bootstrap-server', bed.bootstrapServers], {
    jvmArgs: JVM,
  })
  return waitFor(child, className)
}
