/**
 * Kafka Streams (org.apache.kafka:kafka-streams): a word count with `exactly_once_v2`, which uses transactions, groups with an
 * assignor of its own, compacted and repartition topics, and deletes records.
 *
 * With every word, the program writes its new count. If each word is counted exactly once, the counts of a word are 1, 2, 3 and
 * so on: a lost update leaves a gap, and a repeated one appears twice.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { compileJava, spawnJava, whyNoJava } from '../../../test-bed/java.ts'
import { createTopic, readAll, withProducer } from '../../clients/kafkajs.ts'
import type { Suite } from '../../suite.ts'
import { inTurn, type Test, type TestContext } from '../../tests.ts'

const VOCABULARY = 'red orange yellow green blue indigo violet'.split(' ')
const WORDS_PER_LINE = 5
const LINES = 4000

/** Lines whose words come from a generator without chance, the same in each run. */
const linesOf = (count: number, seed: number): string[] =>
  Array.from({ length: count }, (_, line) =>
    Array.from({ length: WORDS_PER_LINE }, (_word, index) => {
      const number = Math.imul(line * WORDS_PER_LINE + index + seed, 2_654_435_761) >>> 16
      return VOCABULARY[number % VOCABULARY.length]
    }).join(' '),
  )

interface Job {
  readonly applicationId: string
  readonly input: string
  readonly output: string
}

async function createJob(context: TestContext): Promise<Job> {
  return {
    applicationId: context.unique('word-count'),
    input: await createTopic(context, 'lines', 3),
    output: await createTopic(context, 'counts', 2),
  }
}

let classes: Promise<string> | undefined

async function compiled(folder: string): Promise<string> {
  classes ??= compileJava(join(import.meta.dirname, 'WordCount.java'), folder, { jars: 'streams' }).then(() => folder)
  return classes
}

/** Starts an instance; it is processing when this resolves. */
async function startInstance(context: TestContext, job: Job, name: string): Promise<ChildProcess> {
  const properties = {
    'application.id': job.applicationId,
    'bootstrap.servers': context.bootstrapServers,
    'processing.guarantee': 'exactly_once_v2',
    'statestore.cache.max.bytes': 0,
    'commit.interval.ms': 100,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 500,
    'auto.offset.reset': 'earliest',
    'state.dir': join(context.scratch, job.applicationId, name),
  }
  const settings = Object.entries(properties).map(([property, value]) => `${property}=${value}`)
  const child = await spawnJava('WordCount', [job.input, job.output, ...settings], {
    jars: 'streams',
    classPath: [await compiled(context.scratch)],
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  context.signal.addEventListener('abort', kill)
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000)
  })
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (/^RUNNING$/m.test(printed)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`WordCount ended with code ${code}\n${errors}`)))
  })
  return child
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

async function write(context: TestContext, topic: string, lines: readonly string[]): Promise<void> {
  const messages = lines.map((value, index) => ({ key: String(index), value }))
  await withProducer(context, { idempotent: true }, async (producer) => producer.send({ topic, messages }))
}

/** Waits until all words are counted, and fails unless each was counted once. */
async function assertCounts(context: TestContext, { output }: Job, lines: readonly string[]): Promise<void> {
  const expected = Map.groupBy(
    lines.flatMap((line) => line.split(' ')),
    (word) => word,
  )
  const records = await readAll(context, output, lines.length * WORDS_PER_LINE)
  const counted = Map.groupBy(records, ({ message }) => String(message.key))
  assert.deepEqual([...counted.keys()].toSorted(), [...expected.keys()].toSorted())
  for (const [word, updates] of counted) {
    const counts = updates.map(({ message }) => Number(message.value))
    const wanted = Array.from({ length: expected.get(word)!.length }, (_, index) => index + 1)
    assert.deepEqual(counts, wanted, `the counts of "${word}"`)
  }
}

const counts: Test = async (context) => {
  const job = await createJob(context)
  const lines = linesOf(context.records(LINES), 1)
  await write(context, job.input, lines)
  const instance = await startInstance(context, job, 'only')
  try {
    await assertCounts(context, job, lines)
  } finally {
    await stop(instance, 'SIGTERM')
  }
}

/** @param signal that ends the first run, while there is more to count */
function continues(signal: NodeJS.Signals): Test {
  return async (context) => {
    const job = await createJob(context)
    const lines = linesOf(context.records(LINES), 2)
    const half = lines.length / 2
    await write(context, job.input, lines.slice(0, half))
    const first = await startInstance(context, job, 'only')
    try {
      // It is in the middle of its work, with an open transaction more often than not.
      await readAll(context, job.output, half)
      await write(context, job.input, lines.slice(half))
    } finally {
      await stop(first, signal)
    }
    const second = await startInstance(context, job, 'only')
    try {
      await assertCounts(context, job, lines)
    } finally {
      await stop(second, 'SIGTERM')
    }
  }
}

const shares: Test = async (context) => {
  const job = await createJob(context)
  const lines = linesOf(context.records(LINES), 3)
  const third = Math.floor(lines.length / 3)
  const instances = [await startInstance(context, job, 'first')]
  try {
    await write(context, job.input, lines.slice(0, third))
    instances.push(await startInstance(context, job, 'second'))
    await write(context, job.input, lines.slice(third, 2 * third))
    await stop(instances[0]!, 'SIGTERM')
    await write(context, job.input, lines.slice(2 * third))
    await assertCounts(context, job, lines)
  } finally {
    for (const instance of instances) await stop(instance, 'SIGKILL')
  }
}

export const kafkaStreams: Suite = {
  name: 'kafka-streams',
  summary: 'a word count of Kafka Streams 4.3.1 (org.apache.kafka:kafka-streams) with exactly_once_v2',
  whyNot: whyNoJava,
  run: inTurn(
    {
      'counts words exactly once': counts,
      'counts words exactly once across a restart': continues('SIGTERM'),
      'counts words exactly once across a kill': continues('SIGKILL'),
      'counts words exactly once with instances that come and go': shares,
    },
    { timeoutMs: 600_000 },
  ),
}
